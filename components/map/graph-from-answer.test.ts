import { expect, test } from "vitest";
import type { MapAnswer, MapEdge, MapNode } from "../../model/wire/answers/map.ts";
import { graphFromAnswer, observedSeconds } from "./graph-from-answer.ts";
import { onlyTrouble } from "./graph.ts";

const FROM = Date.UTC(2026, 10, 17, 14);
const MINUTE = 60_000;

function node(id: string, namespace: string, workload: string, more: Partial<MapNode> = {}): MapNode {
  const nothing = { endpoints: 1, opened: 0, failed: 0, drops: 0, firstSeen: FROM, lastSeen: FROM };
  return { id, kind: "workload", shape: "workload", namespace, workload, labels: {}, ...nothing, ...more } as MapNode;
}

function edge(source: string, destination: string, more: Partial<MapEdge> = {}): MapEdge {
  const none = { p50: null, p95: null, p99: null };
  return {
    source,
    destination,
    opened: 0,
    closed: 0,
    failed: 0,
    drops: 0,
    denied: 0,
    bytesToServer: 0,
    bytesToClient: 0,
    packetsToServer: 0,
    packetsToClient: 0,
    retransmits: 0,
    ports: [],
    reasons: [],
    rtt: none,
    firstSeen: FROM,
    lastSeen: FROM + MINUTE,
    news: "steady",
    ...more,
  } as MapEdge;
}

function answerOf(nodes: MapNode[], edges: MapEdge[]): MapAnswer {
  return {
    answered: { from: FROM, to: FROM + 10 * MINUTE, by: "flows", truncated: false },
    contextFrom: FROM - 30 * MINUTE,
    nodes,
    edges,
  } as unknown as MapAnswer;
}

const NODES = [node("1", "shop", "web"), node("2", "shop", "cart"), node("3", "data", "db")];

test("an edge's state is the worst that is true of it", () => {
  const stateOf = (more: Partial<MapEdge>): string =>
    graphFromAnswer(answerOf(NODES, [edge("1", "2", more)]), "workload", "connections").graph.edges[0]!.state;
  expect(stateOf({ opened: 100 })).toBe("allowed");
  expect(stateOf({ failed: 3 })).toBe("denied");
  expect(stateOf({ drops: 3 })).toBe("denied");
  expect(stateOf({ opened: 99, failed: 1 })).toBe("failing");
  expect(stateOf({ opened: 1000, failed: 1 })).toBe("allowed");
  expect(stateOf({ opened: 10, packetsToServer: 50, packetsToClient: 50, retransmits: 1 })).toBe("degraded");
  expect(stateOf({ opened: 10, news: "new" })).toBe("fresh");
  expect(stateOf({ opened: 0, news: "gone" })).toBe("gone");
});

test("rates are means over the time that was observed, not over the empty part before", () => {
  const late = FROM + 9 * MINUTE;
  const answer = answerOf(NODES, [edge("1", "2", { opened: 120, firstSeen: late }), edge("2", "3", { news: "gone" })]);
  expect(observedSeconds(answer)).toBe(60);
  const { graph } = graphFromAnswer(answer, "workload", "connections");
  expect(graph.edges[0]).toMatchObject({ perSecond: 2, label: "2.00" });
});

test("a label says in words why attempts fail, and a policy's denial only where one is known", () => {
  const labelOf = (more: Partial<MapEdge>): string =>
    graphFromAnswer(answerOf(NODES, [edge("1", "2", more)]), "workload", "connections").graph.edges[0]!.label;
  expect(labelOf({ failed: 600, reasons: [{ value: "ECONNREFUSED", count: 600 }] })).toBe("refused 1.00/s");
  expect(labelOf({ failed: 600, denied: 600, drops: 600 })).toBe("denied 1.00/s");
  expect(labelOf({ opened: 600, news: "new" })).toBe("new, 1.00");
  expect(labelOf({ opened: 1, news: "new" })).toBe("new");
  expect(labelOf({ opened: 98, failed: 2, reasons: [{ value: "ETIMEDOUT", count: 2 }] })).toBe("2.00 % timed out");
});

test("folded to namespaces, edges inside of one go and identities stay findable", () => {
  const answer = answerOf(NODES, [edge("1", "2", { opened: 5 }), edge("2", "3", { opened: 5 })]);
  const { graph, identitiesOf } = graphFromAnswer(answer, "namespace", "connections");
  expect(graph.edges.map((one) => one.key)).toEqual(["ns/shop → ns/data"]);
  expect(identitiesOf.get("ns/shop")).toEqual(["1", "2"]);
});

test("only trouble keeps troubled edges with their ends", () => {
  const answer = answerOf(NODES, [edge("1", "2", { opened: 5 }), edge("2", "3", { failed: 5 })]);
  const kept = onlyTrouble(graphFromAnswer(answer, "workload", "connections").graph);
  expect(kept.edges).toHaveLength(1);
  expect(kept.nodes.map((one) => one.name)).toEqual(["cart", "db"]);
});

test("a node counts the pods of a workload, not the address of the service in front of it", () => {
  const nodes = [node("1", "shop", "web"), node("2", "shop", "cart", { endpoints: 2 })];
  const service = node("9", "shop", "cart", { kind: "service", shape: "service", endpoints: 0 });
  const answer = answerOf([...nodes, service], [edge("1", "2", { opened: 5 }), edge("1", "9", { opened: 1 })]);
  const cart = graphFromAnswer(answer, "workload", "connections").graph.nodes.find((one) => one.name === "cart");
  expect(cart?.count).toBe(2);
});
