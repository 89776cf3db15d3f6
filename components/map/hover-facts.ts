import type { MapEdge } from "../../model/wire/answers/map.ts";
import { bytes, count, duration, perSecond, share } from "../parts/numbers.ts";
import type { MapIndex } from "./graph-from-answer.ts";
import type { Hit } from "./hit.ts";

/** What the tooltip of a node or an edge says: its name, then rows of name and value. */
export interface HoverFacts {
  readonly title: string;
  readonly rows: readonly { readonly name: string; readonly value: string; readonly trouble?: boolean }[];
}

/** Facts of what the pointer is on, from the newest answer; undefined when it is not on the map any more. `seconds`: what rates are means over. */
export function hoverFacts(hit: Hit, index: MapIndex, seconds: number): HoverFacts | undefined {
  if (hit.kind === "edge") {
    const list = index.edgesOf.get(hit.edge.key);
    if (list === undefined) return undefined;
    const names = new Map(index.graph.nodes.map((node) => [node.key, node.name]));
    return {
      title: `${names.get(hit.edge.source) ?? ""} → ${names.get(hit.edge.target) ?? ""}`,
      rows: trafficRows(list, seconds),
    };
  }
  const node = index.graph.nodes.find((one) => one.key === hit.node.key);
  if (node === undefined) return undefined;
  const all = [...index.edgesOf];
  const inbound = all.filter(([key]) => key.endsWith(` → ${node.key}`)).flatMap(([, list]) => list);
  const outbound = all.filter(([key]) => key.startsWith(`${node.key} → `)).flatMap(([, list]) => list);
  const asks = sum(outbound, (edge) => edge.opened + edge.failed);
  return {
    title: node.namespace === "" ? node.name : `${node.namespace}/${node.name}`,
    rows: [
      ...(inbound.length === 0 ? [] : trafficRows(inbound, seconds, "serves")),
      ...(asks === 0 ? [] : [{ name: "asks", value: perSecond(asks / seconds) }]),
    ],
  };
}

function trafficRows(list: readonly MapEdge[], seconds: number, name = "connections"): HoverFacts["rows"] {
  const opened = sum(list, (edge) => edge.opened);
  const failed = sum(list, (edge) => edge.failed);
  const drops = sum(list, (edge) => edge.drops);
  const packets = sum(list, (edge) => edge.packetsToServer + edge.packetsToClient);
  const resent = sum(list, (edge) => edge.retransmits);
  const size = sum(list, (edge) => edge.bytesToServer + edge.bytesToClient);
  const rtt = Math.max(...list.map((edge) => edge.rtt.p95 ?? 0));
  if (list.every((edge) => edge.news === "gone")) return [{ name: "in this range", value: "nothing" }];
  return [
    { name, value: perSecond((opened + failed) / seconds) },
    { name: "bytes", value: `${bytes(size / seconds)}/s` },
    ...(failed === 0 ? [] : [{ name: "failed", value: share(failed, opened + failed), trouble: true }]),
    ...(drops === 0 ? [] : [{ name: "dropped", value: `${count(drops)} packets`, trouble: true }]),
    ...(resent === 0 ? [] : [{ name: "retransmitted", value: share(resent, packets) }]),
    ...(rtt === 0 ? [] : [{ name: list.length > 1 ? "RTT p95, worst" : "RTT p95", value: duration(rtt) }]),
  ];
}

function sum<T>(list: readonly T[], value: (item: T) => number): number {
  return list.reduce((total, item) => total + value(item), 0);
}
