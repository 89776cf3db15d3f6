"use client";

import Link from "next/link";
import type { NodeDetails } from "../../model/wire/answers/map.ts";
import { usePageLink } from "../frame/use-page-link.ts";
import { AnswerNote } from "../parts/AnswerNote.tsx";
import { Badge } from "../parts/Badge.tsx";
import { buttonClass } from "../parts/Button.tsx";
import { bytes, count, figures, share } from "../parts/numbers.ts";
import { FactList, Panel, PanelSection } from "../parts/Panel.tsx";
import { useWhoIsThis } from "../questions/use-edge.ts";
import { filterName } from "./EdgePanel.tsx";
import { edgeKey, type MapIndex } from "./graph-from-answer.ts";
import type { GraphNode } from "./graph.ts";
import styles from "./panels.module.css";

interface Props {
  readonly node: GraphNode;
  readonly index: MapIndex;
  onSelect(key: string): void;
  onClose(): void;
}

/** One workload: what it serves and asks, who its peers are, what runs behind it. */
export function NodePanel({ node, index, onSelect, onClose }: Props) {
  const details = useWhoIsThis(index.identitiesOf.get(node.key) ?? []);
  const pageLink = usePageLink();
  const name = filterName(node);
  return (
    <Panel
      kind={KINDS[node.shape]}
      title={node.name}
      badge={
        node.gone ? (
          <Badge tone="gone">Gone</Badge>
        ) : node.detailIsTrouble ? (
          <Badge tone="denied">Failing</Badge>
        ) : undefined
      }
      facts={node.namespace}
      onClose={onClose}
      foot={
        <>
          <Link className={buttonClass({ look: "primary" })} href={pageLink("/flows", { q: `workload:${name}` })}>
            Open flows
          </Link>
          <Link className={buttonClass()} href={pageLink("/drops", { q: `workload:${name}` })}>
            Show drops
          </Link>
        </>
      }
    >
      {details.data === undefined ? (
        <AnswerNote answer={details} of="workload" />
      ) : (
        <NodeSections details={details.data} node={node} index={index} onSelect={onSelect} />
      )}
    </Panel>
  );
}

const KINDS: Readonly<Record<GraphNode["shape"], string>> = {
  workload: "Workload",
  service: "Service",
  datastore: "Data store",
  gateway: "Gateway",
  infra: "Infrastructure",
  outside: "Outside",
};

function NodeSections({
  details,
  node,
  index,
  onSelect,
}: {
  readonly details: NodeDetails;
  readonly node: GraphNode;
  readonly index: MapIndex;
  onSelect(key: string): void;
}) {
  const { seconds } = index;
  const labels = Object.entries(details.node.labels);
  return (
    <>
      <PanelSection title="Traffic">
        <FactList
          facts={[
            { name: "serves", value: trafficWords(details.inbound, seconds) },
            { name: "asks", value: trafficWords(details.outbound, seconds) },
          ]}
        />
      </PanelSection>
      {(["inbound", "outbound"] as const).map((direction) => {
        const peers = peersByName(details.peers.filter((peer) => peer.direction === direction));
        if (peers.length === 0) return null;
        return (
          <PanelSection key={direction} title={direction === "inbound" ? "Called by" : "Calls"} note="connections/s">
            <ul className={styles.rows}>
              {peers.map((peer) => {
                const key = direction === "inbound" ? edgeKey(peer.key, node.key) : edgeKey(node.key, peer.key);
                const onMap = index.edgesOf.has(key);
                return (
                  <li key={peer.key}>
                    <button type="button" className={styles.link} disabled={!onMap} onClick={() => onSelect(key)}>
                      {peer.name}
                    </button>
                    <span className={peer.failed > 0 ? "tone-denied" : undefined}>
                      {peer.failed === 0 ? "" : `${share(peer.failed, peer.opened + peer.failed)} failed`}
                    </span>
                    <b>{figures((peer.opened + peer.failed) / seconds)}</b>
                  </li>
                );
              })}
            </ul>
          </PanelSection>
        );
      })}
      {details.reasons.length === 0 ? null : (
        <PanelSection title="What went wrong" note="in range">
          <ul className={styles.rows}>
            {details.reasons.map((reason) => (
              <li key={reason.value}>
                <code>{reason.value}</code>
                <span />
                <b>{count(reason.count)}</b>
              </li>
            ))}
          </ul>
        </PanelSection>
      )}
      {details.endpoints.length === 0 ? null : (
        <PanelSection title="Endpoints" note={`${count(details.endpoints.length)} known`}>
          <ul className={styles.rows}>
            {details.endpoints.map((endpoint) => (
              <li key={`${endpoint.address} ${endpoint.from}`}>
                <span>{endpoint.endpoint === "" ? endpoint.process : endpoint.endpoint}</span>
                <code>{endpoint.address}</code>
                <span>{endpoint.to === null ? "" : "gone"}</span>
              </li>
            ))}
          </ul>
        </PanelSection>
      )}
      {labels.length === 0 ? null : (
        <PanelSection title="Labels">
          <ul className={styles.labels}>
            {labels.map(([key, value]) => (
              <li key={key}>
                <code>{value === "" ? key : `${key}=${value}`}</code>
              </li>
            ))}
          </ul>
        </PanelSection>
      )}
    </>
  );
}

interface Peer {
  /** As on the map. */
  readonly key: string;
  readonly name: string;
  readonly opened: number;
  readonly failed: number;
}

/** One line a name, as the map has one node: a workload and the service in front of it are two identities. Most connections first. */
function peersByName(peers: NodeDetails["peers"]): readonly Peer[] {
  const found = new Map<string, Peer>();
  for (const { peer, opened, failed } of peers) {
    const key = `${peer.namespace}/${peer.workload}`;
    const known = found.get(key) ?? { key, name: peer.namespace === "" ? peer.workload : key, opened: 0, failed: 0 };
    found.set(key, { ...known, opened: known.opened + opened, failed: known.failed + failed });
  }
  return [...found.values()].toSorted((a, b) => b.opened + b.failed - (a.opened + a.failed));
}

function trafficWords(traffic: NodeDetails["inbound"], seconds: number): string {
  const attempts = traffic.opened + traffic.failed;
  if (attempts === 0 && traffic.bytesToClient + traffic.bytesToServer === 0) return "nothing in this range";
  const size = bytes((traffic.bytesToServer + traffic.bytesToClient) / seconds);
  const failed = traffic.failed === 0 ? "none failed" : `${share(traffic.failed, attempts)} failed`;
  return `${figures(attempts / seconds)} connections/s, ${size}/s, ${failed}`;
}
