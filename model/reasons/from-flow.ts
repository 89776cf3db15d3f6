import type { Flow } from "../flow.ts";
import type { FlowValues } from "./checks.ts";
import { describeErrno, errnoNumber } from "./errno.ts";
import { explainFailure } from "./explain.ts";
import type { Explanation, FailureFacts } from "./explanation.ts";
import { type FailedConnection, type ObservedDrop, joinDrops } from "./join.ts";
import { describeDrop } from "./lookup.ts";
import type { Description } from "./types.ts";

const TCP = 6;
const SYN = 0x02;
const RST = 0x04;
const ACK = 0x10;

/** The text for a row's reason, or undefined when the row has none. */
export function describeFlowReason(flow: Flow): Description | undefined {
  if (flow.reason === "") return undefined;
  return flow.kind === "drop" ? describeDrop(observedDrop(flow)) : describeErrno(flow.reason);
}

/**
 * Why the connection of a `fail` or `close` row failed, joined to `drops` (rows of kind `drop`, of any connection, from around that time).
 * `more` is what else is known: resets, ICMP, counters, whether the destination is watched. Undefined when the row tells no error.
 */
export function explainFlow(
  flow: Flow,
  drops: readonly Flow[],
  more: Partial<FailureFacts> = {},
): Explanation | undefined {
  const errno = errnoNumber(flow.reason);
  if (errno === undefined || (flow.kind !== "fail" && flow.kind !== "close")) return undefined;
  const wasOpen = flow.kind === "close";
  const waitedUs = flow.durationUs === 0 ? flow.connectUs : flow.durationUs;
  const joined = joinDrops(failedConnection(flow), drops.filter((drop) => drop.kind === "drop").map(observedDrop));
  return explainFailure({
    errno,
    wasOpen,
    port: flow.servicePort === 0 ? flow.destination.port : flow.servicePort,
    connectLatencyMs: wasOpen || waitedUs === 0 ? undefined : waitedUs / 1000,
    drops: joined,
    ...more,
  });
}

/** What a row gives to the placeholders of checks. The namespace's name is the caller's to add: a row holds its number only. */
export function checkValues(flow: Flow): FlowValues {
  const { source, destination, protocol } = flow;
  return {
    src: source.address,
    dst: destination.address,
    sport: source.port,
    dport: destination.port,
    proto: protocol === TCP ? "tcp" : protocol === 17 ? "udp" : protocol === 1 || protocol === 58 ? "icmp" : undefined,
    device: flow.device,
    location: flow.location,
  };
}

function failedConnection(flow: Flow): FailedConnection {
  const endMs = Date.parse(flow.time);
  const translated = flow.serviceAddress !== "";
  return {
    protocol: flow.protocol,
    client: flow.source.address,
    clientPort: flow.source.port,
    server: translated ? flow.serviceAddress : flow.destination.address,
    serverPort: translated ? flow.servicePort : flow.destination.port,
    backend: translated ? flow.destination.address : undefined,
    backendPort: translated ? flow.destination.port : undefined,
    startMs: endMs - (flow.durationUs === 0 ? flow.connectUs : flow.durationUs) / 1000,
    endMs,
  };
}

/** Rows are turned to client → server; `toward` says which packets were the server's, so that their tuple is turned back (rows of an older version: SYN+ACK and RST are). */
function observedDrop(flow: Flow): ObservedDrop {
  const { source, destination, protocol, tcpFlags, toward } = flow;
  const fromServer =
    toward === "unknown"
      ? protocol === TCP && ((tcpFlags & (SYN | ACK)) === (SYN | ACK) || (tcpFlags & RST) !== 0)
      : toward === "client";
  const [from, to] = fromServer ? [destination, source] : [source, destination];
  const ms = Date.parse(flow.time);
  return {
    reason: flow.reason,
    location: flow.location,
    hook: flow.hook,
    protocol,
    src: from.address,
    sport: from.port,
    dst: to.address,
    dport: to.port,
    tcpFlags: protocol === TCP ? tcpFlags : undefined,
    icmpType: protocol === 1 || protocol === 58 ? flow.icmpType : undefined,
    count: flow.drops,
    firstMs: ms,
    lastMs: ms,
    node: flow.node === "" ? undefined : flow.node,
    hop: flow.reporter === "client" ? 0 : flow.reporter === "path" ? 1 : flow.reporter === "server" ? 2 : undefined,
  };
}
