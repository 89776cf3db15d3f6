/** A settled row as a Flow (model/flow.ts): for the live stream, only where somebody asked for it. */
import { formatAddress } from "../../model/address.ts";
import {
  DIRECTIONS,
  FLOW_KINDS,
  PASSAGES,
  REPORTERS,
  TOWARDS,
  VERDICTS,
  type Flow,
  type FlowEnd,
} from "../../model/flow.ts";
import { bytesOf } from "../decode/columns.ts";
import type { Identities } from "../identity/identities.ts";
import type { Reporter } from "./encode.ts";
import type { FlowRows } from "./flow-rows.ts";
import { isUnspecified } from "./row-maker.ts";
import type { Strings } from "./strings.ts";

/** The flow of row `row`. */
export function flowOf(
  rows: FlowRows,
  row: number,
  reporter: Reporter,
  identities: Identities,
  strings: Strings,
): Flow {
  const end = (party: number, words: Uint32Array<ArrayBuffer>, port: number): FlowEnd => {
    const { identity, endpoint, name } = identities.at(party);
    const address = formatAddress(bytesOf(words), row * 16);
    return {
      id: identity.id,
      namespace: identity.namespace,
      workload: identity.workload,
      endpoint,
      address,
      port,
      name,
    };
  };
  return {
    rowId: `${reporter.node}/${reporter.boot}/${reporter.generation}/${rows.cpu[row]}/${rows.seq[row]}`,
    time: isoNanoseconds(rows.ts[row * 2]!, rows.ts[row * 2 + 1]!),
    node: reporter.node,
    kind: FLOW_KINDS[rows.kind[row]!]!,
    verdict: VERDICTS[rows.verdict[row]!]!,
    reason: strings.at(rows.reason[row]!),
    reporter: REPORTERS[rows.reporter[row]!]!,
    direction: DIRECTIONS[rows.direction[row]!]!,
    protocol: rows.protocol[row]!,
    source: end(rows.sourceParty[row]!, rows.source, rows.sourcePort[row]!),
    destination: end(rows.destinationParty[row]!, rows.destination, rows.destinationPort[row]!),
    serviceAddress: isUnspecified(rows.service, row * 4) ? "" : formatAddress(bytesOf(rows.service), row * 16),
    servicePort: rows.servicePort[row]!,
    service: strings.at(rows.serviceName[row]!),
    process: strings.at(rows.process[row]!),
    pid: rows.pid[row]!,
    opened: rows.opened[row]!,
    closed: rows.closed[row]!,
    failed: rows.failed[row]!,
    drops: rows.drops[row]!,
    bytesToServer: rows.bytesToServer[row]!,
    bytesToClient: rows.bytesToClient[row]!,
    packetsToServer: rows.packetsToServer[row]!,
    packetsToClient: rows.packetsToClient[row]!,
    retransmits: rows.retransmits[row]!,
    rttUs: rows.rttUs[row]!,
    minRttUs: rows.minRttUs[row]!,
    connectUs: rows.connectUs[row]!,
    durationUs: rows.durationUs[row]!,
    location: strings.at(rows.location[row]!),
    device: strings.at(rows.device[row]!),
    netns: rows.netns[row]!,
    icmpType: rows.icmpType[row]!,
    icmpCode: rows.icmpCode[row]!,
    tcpFlags: rows.tcpFlags[row]!,
    hook: strings.at(rows.hook[row]!),
    passage: PASSAGES[rows.passage[row]!]!,
    toward: TOWARDS[rows.toward[row]!]!,
    socket: String((BigInt(rows.socket[row * 2 + 1]!) << 32n) | BigInt(rows.socket[row * 2]!)),
  };
}

/** ISO time with nanoseconds of two words. */
export function isoNanoseconds(low: number, high: number): string {
  const ns = (BigInt(high) << 32n) | BigInt(low);
  const seconds = new Date(Number(ns / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${String(ns % 1_000_000_000n).padStart(9, "0")}Z`;
}
