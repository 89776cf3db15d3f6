import { expect, test } from "vitest";
import type { Flow, FlowEnd } from "../flow.ts";
import type { IdentityId } from "../identity.ts";
import { fillChecks } from "./checks.ts";
import { checkValues, describeFlowReason, explainFlow } from "./from-flow.ts";

const end = (address: string, port: number): FlowEnd => ({
  id: "1" as IdentityId,
  namespace: "shop",
  workload: "w",
  endpoint: "",
  address,
  port,
  name: "",
});

const FLOW: Flow = {
  rowId: "n/b/1/0/1",
  time: "2026-03-01T12:00:06.000000000Z",
  node: "node-a",
  kind: "fail",
  verdict: "failed",
  reason: "ETIMEDOUT",
  reporter: "client",
  direction: "egress",
  protocol: 6,
  source: end("10.42.1.18", 48_122),
  destination: end("10.42.2.31", 15_432),
  serviceAddress: "10.96.0.10",
  servicePort: 5432,
  service: "db",
  process: "node",
  pid: 7,
  opened: 0,
  closed: 0,
  failed: 1,
  drops: 0,
  bytesToServer: 0,
  bytesToClient: 0,
  packetsToServer: 0,
  packetsToClient: 0,
  retransmits: 5,
  rttUs: 0,
  minRttUs: 0,
  connectUs: 6_000_000,
  durationUs: 0,
  location: "",
  device: "",
  netns: 4,
  icmpType: 0,
  icmpCode: 0,
  tcpFlags: 0,
  hook: "",
  passage: "unknown",
  toward: "unknown",
  socket: "1",
};
const DROP: Flow = {
  ...FLOW,
  kind: "drop",
  verdict: "dropped",
  reason: "NETFILTER_DROP",
  reporter: "path",
  location: "nft_do_chain",
  device: "veth0",
  drops: 6,
  tcpFlags: 0x02,
  time: "2026-03-01T12:00:03.000000000Z",
};

test("a timeout and the drop of its SYNs are joined by their rows", () => {
  expect(explainFlow(FLOW, [DROP])).toMatchObject({
    title: "timed out: dropped by a firewall rule",
    certainty: "known",
    basis: ["6 packets dropped: NETFILTER_DROP at nft_do_chain, on node-a"],
    symbols: ["ETIMEDOUT", "NETFILTER_DROP"],
  });
});

test("a drop of the SYN+ACK is the answer's", () => {
  expect(explainFlow(FLOW, [{ ...DROP, reason: "IP_RPFILTER", tcpFlags: 0x12 }])?.title).toBe(
    "timed out: the answer was lost, came in on the wrong interface",
  );
});

test("a drop before the service address was translated joins, too; that of another connection does not", () => {
  expect(explainFlow(FLOW, [{ ...DROP, destination: end("10.96.0.10", 5432) }])?.certainty).toBe("known");
  expect(explainFlow(FLOW, [{ ...DROP, source: end("10.42.1.18", 48_123) }])?.certainty).toBe("unknown");
});

test("a connect that its program gave up says after how long", () => {
  expect(explainFlow({ ...FLOW, reason: "GAVE_UP" }, [DROP])?.title).toBe(
    "gave up after 6 s: dropped by a firewall rule",
  );
});

test("a refusal names the port that the client called", () => {
  expect(explainFlow({ ...FLOW, reason: "ECONNREFUSED" }, [], { rstSent: "NO_SOCKET" })?.title).toBe(
    "refused: nothing listens on 5432",
  );
});

test("a row without an error has nothing to explain", () => {
  expect(explainFlow({ ...FLOW, kind: "close", reason: "" }, [])).toBeUndefined();
  expect(describeFlowReason({ ...FLOW, reason: "" })).toBeUndefined();
});

test("a row's reason is described by its kind, and its checks hold the row's own values", () => {
  expect(describeFlowReason(FLOW)?.title).toBe("Timed out");
  const drop = describeFlowReason({ ...DROP, reason: "QDISC_DROP" })!;
  expect(fillChecks(drop, checkValues(DROP)).map((check) => check.command)).toEqual([
    "tc -s qdisc show dev veth0",
    "ip -s -d link show dev veth0",
    "ss -tin dst 10.42.2.31",
  ]);
});
