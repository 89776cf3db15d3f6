import type { IdentityId } from "./identity.ts";

/** What one report tells. A *flow* is one report; a *connection* a socket's life; an *edge* a sum of flows. */
export const FLOW_KINDS = ["open", "close", "fail", "alive", "drop", "datagram", "verdict"] as const;
export type FlowKind = (typeof FLOW_KINDS)[number];

/**
 * allowed: it went through. failed: the program saw an error. dropped: the kernel discarded packets.
 * denied: a policy decided (and is known to have). unknown: recorded without an answer.
 */
export const VERDICTS = ["unknown", "allowed", "failed", "dropped", "denied"] as const;
export type Verdict = (typeof VERDICTS)[number];

/** Which end reported; `path` = a packet seen in between (drops in forwarding). */
export const REPORTERS = ["unknown", "client", "server", "path"] as const;
export type Reporter = (typeof REPORTERS)[number];

/** Direction seen from the reporting endpoint. */
export const DIRECTIONS = ["unknown", "ingress", "egress"] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** Whether a dropped packet was coming in at a device, being passed on, or going out. */
export const PASSAGES = ["unknown", "in", "forward", "out"] as const;
export type Passage = (typeof PASSAGES)[number];

/** To which end of its flow a dropped packet was going. */
export const TOWARDS = ["unknown", "server", "client"] as const;
export type Toward = (typeof TOWARDS)[number];

/** One end of a flow, named. */
export interface FlowEnd {
  readonly id: IdentityId;
  readonly namespace: string;
  readonly workload: string;
  /** Pod, container, network namespace or unit instance; "" when only the workload is known. */
  readonly endpoint: string;
  readonly address: string;
  readonly port: number;
  /** The DNS name that an outside address was last looked up by, "" when unknown. */
  readonly name: string;
}

/**
 * A row of `flows` as screens, the CLI and the live stream see it. Always in the direction client → server, whoever
 * reported. Numbers are what happened since this connection's last report, so sums over rows are right.
 */
export interface Flow {
  /** Row identity: node/boot/generation/cpu/seq. */
  readonly rowId: string;
  /** ISO time with nanoseconds, UTC. */
  readonly time: string;
  readonly node: string;
  readonly kind: FlowKind;
  readonly verdict: Verdict;
  /** Kernel drop reason without prefix, errno name, `GAVE_UP` for a connect that its program ended; "" else. */
  readonly reason: string;
  readonly reporter: Reporter;
  readonly direction: Direction;
  /** IP protocol number: 6 TCP, 17 UDP, 1 ICMP, 58 ICMPv6. */
  readonly protocol: number;
  readonly source: FlowEnd;
  readonly destination: FlowEnd;
  /** The service address that the client used before translation, "" when it reached the destination itself. */
  readonly serviceAddress: string;
  readonly servicePort: number;
  readonly service: string;
  readonly process: string;
  readonly pid: number;
  readonly opened: number;
  readonly closed: number;
  readonly failed: number;
  readonly drops: number;
  readonly bytesToServer: number;
  readonly bytesToClient: number;
  readonly packetsToServer: number;
  readonly packetsToClient: number;
  readonly retransmits: number;
  readonly rttUs: number;
  readonly minRttUs: number;
  readonly connectUs: number;
  readonly durationUs: number;
  /** Kernel function that dropped the packet, from the symbol table; "" when none. */
  readonly location: string;
  readonly device: string;
  readonly netns: number;
  readonly icmpType: number;
  readonly icmpCode: number;
  readonly tcpFlags: number;
  /** Which hook, tc or queue decided a drop (model/reasons/drop-place.ts): `forward`, `tc egress`; "" when the kernel does not tell. */
  readonly hook: string;
  /** Whether the dropped packet was coming in at the device, being passed on, or going out. */
  readonly passage: Passage;
  /** Whether the dropped packet was going to the server or to the client. */
  readonly toward: Toward;
  /** Socket cookie: the same for all reports of one socket on one node; "0" without a socket. */
  readonly socket: string;
}

/** The name of an IP protocol as people write it; the number where it has none here. */
export function protocolName(protocol: number): string {
  return PROTOCOLS[protocol] ?? String(protocol);
}

/** IANA's protocol numbers that Weir meets. */
export const PROTOCOLS: Readonly<Record<number, string>> = {
  1: "ICMP",
  6: "TCP",
  17: "UDP",
  50: "ESP",
  58: "ICMPv6",
  132: "SCTP",
};
