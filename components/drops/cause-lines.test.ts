import { expect, test } from "vitest";
import type { DropCause } from "../../model/wire/answers/drops.ts";
import { causeLines, functionsOf, parseSelection, selectionKey } from "./cause-lines.ts";

const end = (id: string, workload: string): DropCause["source"] => ({
  id,
  kind: "workload",
  shape: "workload",
  namespace: "shop",
  workload,
});

function cause(changes: Partial<DropCause>): DropCause {
  return {
    reason: "NETFILTER_DROP",
    location: "nft_do_chain",
    verdict: "dropped",
    source: end("1", "cart"),
    destination: end("2", "db"),
    port: 5432,
    protocol: 6,
    node: "a",
    hook: "",
    passage: "unknown",
    toward: "unknown",
    device: "eth0",
    drops: 1,
    firstSeen: 10,
    lastSeen: 20,
    spark: [1, 0],
    ...changes,
  };
}

test("rows of one reason and edge become one line over nodes, devices and functions, with its places", () => {
  const [line, ...more] = causeLines([
    cause({ drops: 2, firstSeen: 5 }),
    cause({ node: "b", location: "nf_hook_slow", drops: 7, lastSeen: 90, spark: [3, 4], verdict: "denied" }),
  ]);
  expect(more).toEqual([]);
  expect(line).toMatchObject({ drops: 9, firstSeen: 5, lastSeen: 90, spark: [4, 4], denied: true });
  expect(line!.places[0]).toMatchObject({ location: "nf_hook_slow", node: "b", device: "eth0", drops: 7 });
  expect(functionsOf(line!)).toEqual(["nf_hook_slow", "nft_do_chain"]);
});

test("drops without a reason are told apart by their function", () => {
  const lines = causeLines([
    cause({ reason: "NOT_SPECIFIED", location: "ip_error", drops: 3 }),
    cause({ reason: "NOT_SPECIFIED", location: "neigh_invalidate", drops: 4 }),
  ]);
  expect(lines.map((line) => [line.at, line.drops])).toEqual([
    ["neigh_invalidate", 4],
    ["ip_error", 3],
  ]);
});

test("a selection survives the URL, and what is none selects nothing", () => {
  const [line] = causeLines([cause({})]);
  expect(parseSelection(selectionKey({ kind: "cause", key: line!.key }))).toEqual({ kind: "cause", key: line!.key });
  expect(parseSelection("reason/A/B")).toEqual({ kind: "reason", reason: "A/B" });
  expect(parseSelection("<script>")).toBeUndefined();
  expect(parseSelection(null)).toBeUndefined();
});
