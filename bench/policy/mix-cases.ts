/**
 * New cases out of the shared ones: the pods of one with policies of several others, and flows between all pods, without verdicts. For
 * bench/policy/oracle, which asks Cilium itself. node bench/policy/mix-cases.ts SEED COUNT [case files…] > cases.jsonl
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";

type Json = { [key: string]: unknown };
const [seedText = "1", countText = "100", ...given] = process.argv.slice(2);
const shared = join(import.meta.dirname, "../../../shared/cases/policy");
const files =
  given.length > 0 ? given : ["cilium.jsonl", "cluster-network-policy.jsonl"].map((name) => join(shared, name));

let state = Number(seedText) | 0 || 1;
function random(): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) / 4294967296;
}
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;

const cases = files.flatMap((file) =>
  readFileSync(file, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Json),
);
const texts = cases.flatMap((it) =>
  Array.isArray(it["policies"]) ? (it["policies"] as string[]) : String(it["policies"]).split("\n---\n"),
);
const PEERS = ["Endpoints", "Entities", "CIDR", "CIDRSet", "Nodes"];
const documents = texts.map((text) => parse(text) as Json | null).filter((document) => document !== null);

/** Peers (`Endpoints` → …) and lists of ports that any rule of the cases has, and every end of a flow that is no pod. */
const peers: [string, unknown][] = [];
const portLists: [string, unknown][] = [];
for (const document of documents) {
  const specs = [document["spec"], ...((document["specs"] as unknown[] | undefined) ?? [])] as (Json | undefined)[];
  for (const spec of specs)
    for (const field of ["ingress", "egress", "ingressDeny", "egressDeny"])
      for (const rule of (spec?.[field] as (Json | null)[] | null | undefined) ?? [])
        for (const [key, value] of Object.entries(rule ?? {})) {
          const name = /^(?:from|to)(.+)$/.exec(key)?.[1];
          if (key === "toPorts" || key === "icmps") portLists.push([key, value]);
          else if (name !== undefined && [...PEERS, "FQDNs"].includes(name)) peers.push([name, value]);
        }
}
const others = [
  ...new Set(
    cases
      .flatMap((it) => it["flows"] as { src: string; dst: string }[])
      .flatMap(({ src, dst }) => [src, dst])
      .filter((end) => end.startsWith("ip:") || end.startsWith("entity:")),
  ),
];

for (let number = 0; number < Number(countText); number++) {
  const world = pick(cases);
  const namespaces = (world["namespaces"] as { name: string }[]).map(({ name }) => name);
  const pods = (world["pods"] as { namespace: string; name: string }[]).map(
    ({ namespace, name }) => `${namespace}/${name}`,
  );
  const chosen = Array.from({ length: 2 + Math.floor(random() * 5) }, (_, i) =>
    mixed(structuredClone(pick(documents)), i, namespaces),
  );
  if (random() < 0.6) for (const document of chosen) shuffleRules(document);
  // Cilium does not take authentication beside rules that pass: either of them in a case.
  const ordered = chosen.some((document) => document["kind"] === "ClusterNetworkPolicy");
  for (const document of chosen) for (const rule of ciliumRules(document)) authenticate(rule, ordered);
  const flows = Array.from({ length: 80 }, () => flow(pods, others)).filter(({ src, dst }) => src !== dst);
  const kept = Object.fromEntries(
    ["config", "namespaces", "pods", "nodes", "dns", "cidrGroups"].flatMap((key) =>
      key in world ? [[key, world[key]]] : [],
    ),
  );
  const policies = chosen
    .map((document) => stringify(document))
    .join("---\n")
    .replaceAll("\n---\n", "\n\n---\n");
  process.stdout.write(
    `${JSON.stringify({ ...kept, id: `mix-${seedText}-${number}`, profile: "cilium", policies, flows })}\n`,
  );
}

function mixed(document: Json, at: number, namespaces: readonly string[]): Json {
  const metadata = document["metadata"] as Json;
  metadata["name"] = `m${at}`;
  if ("namespace" in metadata) metadata["namespace"] = pick(namespaces);
  if (document["kind"] === "ClusterNetworkPolicy")
    (document["spec"] as Json)["priority"] = at * 3 + Math.floor(random() * 3);
  return document;
}

function ciliumRules(document: Json): Json[] {
  if (!String(document["kind"]).startsWith("Cilium")) return [];
  const specs = [document["spec"], ...((document["specs"] as unknown[] | undefined) ?? [])].filter(
    (spec) => spec !== undefined,
  ) as Json[];
  return specs.flatMap((spec) =>
    ["ingress", "egress"].flatMap((field) =>
      ((spec[field] as (Json | null)[] | null | undefined) ?? []).filter((rule) => rule !== null),
    ),
  );
}

/** Rules of one document with peers and ports of others': what a rule names is drawn from all that any rule of the cases names. */
function shuffleRules(document: Json): void {
  if (!String(document["kind"]).startsWith("Cilium")) return;
  const specs = [document["spec"], ...((document["specs"] as unknown[] | undefined) ?? [])].filter(
    (spec) => spec !== undefined,
  ) as Json[];
  for (const spec of specs)
    for (const field of ["ingress", "egress", "ingressDeny", "egressDeny"]) {
      const side = field.startsWith("ingress") ? "from" : "to";
      if (random() < 0.15) spec[field] = [...((spec[field] as Json[] | null | undefined) ?? []), {}];
      for (const rule of (spec[field] as (Json | null)[] | null | undefined) ?? []) {
        if (rule === null) continue;
        if (random() < 0.5) {
          for (const key of Object.keys(rule)) if (/^(from|to)(?!Ports)/.test(key)) delete rule[key];
          const peer = pick(peers);
          if (peer !== undefined && random() < 0.85 && (field === "egress" || peer[0] !== "FQDNs"))
            rule[`${side}${peer[0]}`] = structuredClone(peer[1]);
        }
        if (random() < 0.5) {
          delete rule["toPorts"];
          delete rule["icmps"];
          const ports = pick(portLists);
          if (random() < 0.75) rule[ports[0]] = withoutL7(structuredClone(ports[1]), field.endsWith("Deny"));
        }
      }
    }
}

function withoutL7(list: unknown, deny: boolean): unknown {
  if (deny)
    for (const item of list as Json[])
      for (const key of Object.keys(item ?? {})) if (!["ports", "fields"].includes(key)) delete item[key];
  return list;
}

function authenticate(rule: Json, ordered: boolean): void {
  if (ordered) delete rule["authentication"];
  else if (random() < 0.35) rule["authentication"] = { mode: pick(["required", "disabled", "test-always-fail"]) };
}

function flow(
  pods: readonly string[],
  outside: readonly string[],
): { src: string; dst: string; proto: string; port: number } {
  const proto = pick(["TCP", "TCP", "UDP", "SCTP", "ICMP", "ICMPv6"]);
  const ports = proto.startsWith("ICMP")
    ? [1, 3, 4, 5, 8, 11, 128, 135]
    : [1, 2, 53, 79, 80, 81, 106, 443, 3868, 8000, 8001, 8080, 8999, 9000, 9090, 9100, 54000, 58000];
  const [src, dst] = [pick(pods), pick(pods)];
  const draw = random();
  return {
    src: draw < 0.2 ? pick(outside) : src,
    dst: draw > 0.75 ? pick(outside) : dst,
    proto,
    port: pick(ports),
  };
}
