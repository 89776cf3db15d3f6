import { expect, test } from "vitest";
import type { Flow } from "../../model/flow.ts";
import { lifeSteps } from "./life.ts";
import { foldTwins, mergeRows, parseRowName, rowName } from "./rows.ts";

function flow(rowId: string, time: string, more: Partial<Flow> = {}): Flow {
  const end = { id: "1", namespace: "shop", workload: "web", endpoint: "", address: "10.0.0.1", port: 40000, name: "" };
  return {
    rowId,
    time: `2026-11-17T14:17:${time}Z`,
    node: "node-a",
    kind: "close",
    verdict: "allowed",
    reason: "",
    reporter: "client",
    direction: "egress",
    protocol: 6,
    source: end,
    destination: { ...end, workload: "db", address: "10.0.0.2", port: 5432 },
    serviceAddress: "",
    servicePort: 0,
    service: "",
    process: "node",
    pid: 7,
    opened: 0,
    closed: 1,
    failed: 0,
    drops: 0,
    bytesToServer: 10,
    bytesToClient: 20,
    packetsToServer: 1,
    packetsToClient: 1,
    retransmits: 0,
    rttUs: 100,
    minRttUs: 90,
    connectUs: 0,
    durationUs: 1_000_000,
    location: "",
    device: "",
    netns: 1,
    icmpType: 0,
    icmpCode: 0,
    tcpFlags: 0,
    hook: "",
    passage: "unknown",
    toward: "unknown",
    socket: "5",
    ...more,
  } as Flow;
}

test("what both ends report is one row, the client's; other rows stay", () => {
  const client = flow("c", "10.000000000");
  const server = flow("s", "10.000300000", { reporter: "server" });
  const drop = flow("d", "09.000000000", { kind: "drop", reporter: "path" as Flow["reporter"] });
  const later = flow("l", "30.000000000", { reporter: "server" });
  const { rows, bothEnds } = foldTwins([later, server, client, drop]);
  expect(rows.map((row) => row.rowId)).toEqual(["l", "c", "d"]);
  expect([...bothEnds]).toEqual(["c"]);
});

test("two connections from the same port, or two reports of one end, are not folded", () => {
  const first = flow("1", "10.000000000");
  expect(foldTwins([flow("2", "11.000000000"), first]).rows).toHaveLength(2);
  expect(foldTwins([flow("3", "15.000000000", { reporter: "server" }), first]).rows).toHaveLength(2);
});

test("live and stored rows are one list, newest first, each once", () => {
  const [a, b, c] = [flow("a", "03.000000000"), flow("b", "02.000000000"), flow("c", "01.000000000")];
  expect(mergeRows([a, c], [b, c]).map((row) => row.rowId)).toEqual(["a", "b", "c"]);
});

test("a row's name in a link is read back, and nonsense is not", () => {
  const row = flow("node-a/boot/1/0/7@x", "10.018000000");
  expect(parseRowName(rowName(row))).toEqual({ rowId: row.rowId, at: Date.parse(row.time) });
  for (const name of ["", "@5", "row", "row@", "row@-1", "row@x"]) expect(parseRowName(name)).toBeUndefined();
});

test("a life tells its steps in the order in which they happened, from the first SYN", () => {
  const open = flow("o", "10.000400000", { kind: "open", opened: 1, closed: 0, connectUs: 400, durationUs: 0 });
  const drop = flow("d", "10.500000000", {
    kind: "drop",
    drops: 2,
    reason: "QDISC_DROP",
    location: "__dev_queue_xmit",
    durationUs: 0,
  });
  const close = flow("c", "11.000000000", { retransmits: 2 });
  const steps = lifeSteps([close, drop, open]);
  expect(steps.map((step) => step.title)).toEqual([
    "Connect",
    "Established",
    "2 packets were dropped",
    "Closed, as the client saw it",
  ]);
  expect(steps.map((step) => step.atUs)).toEqual([0, 400, 500_000, 1_000_000]);
  expect(steps[2]!.detail).toContain("QDISC_DROP in __dev_queue_xmit");
  expect(steps[3]!.tone).toBe("degraded");
});

test("a failed attempt begins when it was made, not when it was given up", () => {
  const fail = flow("f", "16.000000000", {
    kind: "fail",
    failed: 1,
    closed: 0,
    reason: "ETIMEDOUT",
    durationUs: 6_000_000,
  });
  const steps = lifeSteps([fail]);
  expect(steps.map((step) => [step.atUs, step.title])).toEqual([
    [0, "Connect"],
    [6_000_000, "Failed: timed out, no answer to SYN"],
  ]);
});
