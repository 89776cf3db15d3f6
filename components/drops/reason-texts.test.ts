import { expect, test } from "vitest";
import type { FailedEdge } from "../../model/wire/answers/drops.ts";
import { checksOf, describeDrop, explainEdge, overNodes } from "./reason-texts.ts";

const end = (id: string): FailedEdge["source"] => ({
  id,
  kind: "workload",
  shape: "",
  namespace: "shop",
  workload: id,
});

function edge(changes: Partial<FailedEdge>): FailedEdge {
  return {
    reason: "ETIMEDOUT",
    source: end("1"),
    destination: end("2"),
    port: 5432,
    protocol: 6,
    failed: 30,
    opened: 0,
    medianWaitUs: 6_000_000,
    firstSeen: 1000,
    lastSeen: 9000,
    causes: [],
    ...changes,
  };
}

function cause(changes: Partial<FailedEdge["causes"][number]>): FailedEdge["causes"][number] {
  return {
    reason: "NETFILTER_DROP",
    location: "nft_do_chain",
    node: "a",
    drops: 6,
    failures: 30,
    reversed: false,
    ...changes,
  };
}

test("a drop that nearly all tries had is the reason, and one that few had is told as such", () => {
  const most = explainEdge(edge({ causes: [cause({ failures: 29 })] }));
  expect(most).toMatchObject({ because: true, how: "because" });
  expect(most.explanation.title).toBe("timed out: dropped by a firewall rule");
  const few = explainEdge(edge({ causes: [cause({ failures: 12 })] }));
  expect(few).toMatchObject({ because: false, how: "in 12 of 30 tries" });
  expect(few.explanation.certainty).toBe("likely");
  expect(few.explanation.title).toContain("in 12 of 30 tries");
});

test("the tries of one reason are counted over all nodes, never more than there were", () => {
  const spread = edge({ causes: [cause({ failures: 14 }), cause({ node: "b", failures: 15 })] });
  expect(explainEdge(spread)).toMatchObject({ because: true, cause: { failures: 29, node: "", drops: 12 } });
  const twice = edge({ causes: [cause({ failures: 30 }), cause({ node: "b", failures: 30 })] });
  expect(overNodes(twice)).toEqual([cause({ node: "", drops: 12, failures: 30 })]);
});

test("what decides comes before what only follows: a firewall before a missing socket", () => {
  const both = edge({
    causes: [cause({ reason: "NO_SOCKET", location: "tcp_v4_rcv", drops: 90 }), cause({ drops: 1 })],
  });
  expect(explainEdge(both).cause?.reason).toBe("NETFILTER_DROP");
});

test("an answer that was lost is told from a request that was lost", () => {
  const answer = edge({ causes: [cause({ reason: "IP_RPFILTER", location: "ip_rcv_finish_core", reversed: true })] });
  expect(explainEdge(answer).explanation.title).toContain("the answer was lost");
});

test("without a drop nothing is claimed, and an error without a text stays as it is", () => {
  const nothing = explainEdge(edge({}));
  expect(nothing).toMatchObject({ cause: undefined, how: "", because: false });
  expect(nothing.explanation.certainty).toBe("unknown");
  expect(explainEdge(edge({ reason: "<b>odd</b>" })).explanation.title).toBe("<b>odd</b>");
});

test("commands that need a real packet are left out until there is one", () => {
  const text = describeDrop({ reason: "NO_SOCKET", location: "tcp_v4_rcv" });
  expect(checksOf(text, undefined).every((check) => !check.command.includes("{"))).toBe(true);
});
