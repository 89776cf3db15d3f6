import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { EVERYTHING, type Condition, type EndMatch, type Filter } from "../../model/filter/ast.ts";
import { compileFilter } from "../../model/filter/match.ts";
import type { Labels } from "../../model/identity.ts";
import { flowRow, inHour, startTestStore, unhurried, type TestStore } from "../testing.ts";
import { FLOW_SELECT, FlowRow } from "./flow-row.ts";
import { compileWhere, termsBeyond, withFilter } from "./where.ts";

/** Names that would end a text, a comment or a statement, or mean something to LIKE. */
const HOSTILE = [
  "' OR 1=1 --",
  "a\\'; DROP TABLE flows; --",
  "{f0:String}",
  "%_\\",
  "*/ SELECT 1 /*",
  "\\N",
  "a\tb\nc",
  "“x”",
  "$$",
  "<script>",
  "ärger",
  "/* filter */",
];
const NAMES = ["web", "cart", "Web-Shop", ...HOSTILE];
const LABELS: Readonly<Record<string, Labels>> = {
  "1000": { app: "web", "it's": "a\\b" },
  "2000": { app: "cart", empty: "" },
  "3000": {},
  "18446744073709551615": { app: "' OR 1=1 --" },
};
const ADDRESSES = ["10.0.0.1", "10.0.255.255", "10.1.0.0", "255.255.255.255", "fd00::1", "fd00:0:0:1::", "::1", "::"];

let store: TestStore;
beforeAll(async () => {
  store = await startTestStore();
  const times = { first_seen: inHour(0), last_seen: inHour(60) };
  await store.writer.insertRows(
    "identities",
    Object.entries(LABELS).map(([id, labels], i) => ({
      id,
      kind: "workload",
      shape: "",
      namespace: NAMES[i]!,
      workload: NAMES[i]!,
      labels,
      ...times,
    })),
    unhurried,
  );
  const pick = <T>(list: readonly T[], i: number): T => list[i % list.length]!;
  const ip = (text: string) => (text.includes(":") ? text : `::ffff:${text}`);
  const ids = Object.keys(LABELS);
  const rows = Array.from({ length: 400 }, (_, i) =>
    flowRow({
      ts: inHour(i),
      kind: pick(["open", "close", "fail", "drop"], i),
      verdict: pick(["allowed", "failed", "dropped"], i >> 1),
      reason: pick(["", "NO_SOCKET", "' OR 1=1 --"], i >> 2),
      protocol: pick([6, 17, 1], i >> 3),
      src_addr: ip(pick(ADDRESSES, i * 7)),
      dst_addr: ip(pick(ADDRESSES, i * 3 + 1)),
      dst_port: pick([80, 443, 8080, 0, 65_535], i * 5),
      src_id: pick(ids, i * 11),
      dst_id: pick(ids, i * 13 + 1),
      src_ns: pick(NAMES, i * 17),
      dst_ns: pick(NAMES, i * 19),
      src_workload: pick(NAMES, i * 23 + 2),
      dst_workload: pick(NAMES, i * 29 + 3),
      src_endpoint: pick(["", "web-0", "%_\\"], i),
      dst_endpoint: pick(["", "cart-1"], i),
      src_name: pick(["", "api.example", "a%b.example", "a_b.example", "back\\slash.example"], i * 31),
      dst_name: pick(["", "API.example", "x.api.example"], i * 37),
      process: pick(["node", "' OR 1=1 --"], i),
      node: pick(["node-a", "node-b"], i),
      location: pick(["", "tcp_v4_rcv"], i),
      service: pick(["", "cart"], i),
    }),
  );
  await store.writer.insertRows("flows", rows, unhurried);
});
afterAll(async () => {
  await store?.[Symbol.asyncDispose]();
});

const name = fc.oneof(fc.constantFrom(...NAMES), fc.string({ unit: "grapheme", maxLength: 8 }));
const end: fc.Arbitrary<EndMatch> = fc.oneof(
  fc.record({ kind: fc.constant("workload" as const), namespace: fc.option(name, { nil: undefined }), workload: name }),
  fc.record({ kind: fc.constant("namespace" as const), namespace: name }),
  fc.record({
    kind: fc.constant("label" as const),
    key: fc.constantFrom("app", "it's", "empty", "none"),
    value: fc.option(fc.constantFrom("web", "cart", "", "a\\b", "' OR 1=1 --"), { nil: undefined }),
  }),
  fc.record({
    kind: fc.constant("block" as const),
    cidr: fc.constantFrom(
      "10.0.0.0/16",
      "10.0.0.1",
      "0.0.0.0/0",
      "255.255.255.255/32",
      "fd00::/16",
      "fd00::/64",
      "::/0",
      "::1",
      "::/1",
    ),
  }),
  fc.record({
    kind: fc.constant("name" as const),
    name: fc.constantFrom("api.example", "*.example", "*api*", "a%b.example", "a_b.*", "back\\slash.example", "*", ""),
  }),
  fc.record({
    kind: fc.constant("word" as const),
    word: fc.constantFrom("web", "SHOP", "'", "%", "_", "\\", "api", "-0"),
  }),
);
const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ on: fc.constantFrom("source" as const, "destination" as const, "either" as const), match: end }),
  fc.constantFrom<Condition>(
    { on: "port", from: 80, to: 80 },
    { on: "port", from: 400, to: 9000 },
    { on: "protocol", protocol: 17 },
  ),
  fc.record({
    on: fc.constantFrom(
      "verdict" as const,
      "reason" as const,
      "kind" as const,
      "reporter" as const,
      "process" as const,
      "service" as const,
      "node" as const,
      "location" as const,
    ),
    value: fc.constantFrom(
      "allowed",
      "NO_SOCKET",
      "open",
      "drop",
      "client",
      "node",
      "' OR 1=1 --",
      "cart",
      "node-b",
      "tcp_v4_rcv",
      "no such",
    ),
  }),
);
const filters: fc.Arbitrary<Filter> = fc.record({
  terms: fc.array(
    fc.record({
      key: fc.constant(undefined),
      negated: fc.boolean(),
      any: fc.array(condition, { minLength: 1, maxLength: 3 }),
      text: fc.constant(""),
      at: fc.constant(0),
    }),
    { maxLength: 3 },
  ),
});

const ALL = `SELECT ${FLOW_SELECT} FROM flows WHERE 1 /* filter */ ORDER BY ts LIMIT 1000`;

describe("a filter in the store", () => {
  test("lets through exactly the rows that it lets through in the live stream", async () => {
    const all = await store.reader.rows(
      { sql: withFilter(ALL, compileWhere(EVERYTHING, [])), row: FlowRow },
      {},
      unhurried,
    );
    expect(all).toHaveLength(400);
    await fc.assert(
      fc.asyncProperty(filters, async (filter) => {
        const where = compileWhere(filter, []);
        const rows = await store.reader.rows({ sql: withFilter(ALL, where), row: FlowRow }, where.params, unhurried);
        const test = compileFilter(filter, (id) => LABELS[id]);
        expect(rows.map((row) => row.rowId)).toEqual(all.filter(test).map((row) => row.rowId));
      }),
      { numRuns: 150 },
    );
  });

  test("never has a value in its text, whatever the value", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 40 }), (value) => {
        const texts = [value, "plain"].map((one) => {
          const any: Condition[] = [
            { on: "source", match: { kind: "workload", namespace: one, workload: one } },
            { on: "either", match: { kind: "label", key: one, value: one } },
            { on: "destination", match: { kind: "name", name: one } },
            { on: "destination", match: { kind: "word", word: one } },
            { on: "reason", value: one },
          ];
          return compileWhere({ terms: [{ key: undefined, negated: false, any, text: "", at: 0 }] }, [one]).sql;
        });
        expect(texts[0]).toBe(texts[1]);
      }),
    );
  });

  test("of names is asked of identities in a roll-up, and what a roll-up cannot know is named", async () => {
    const term = (on: Condition, text: string) => ({ key: undefined, negated: false, any: [on], text, at: 0 });
    const filter: Filter = {
      terms: [
        term({ on: "source", match: { kind: "workload", namespace: undefined, workload: "web" } }, "src:web"),
        term({ on: "process", value: "x" }, "process:x"),
      ],
    };
    expect(termsBeyond(filter, "edges").map((one) => one.text)).toEqual(["process:x"]);
    expect(() => compileWhere(filter, [], "edges")).toThrow('edges does not know "process:x"');
    const where = compileWhere({ terms: [filter.terms[0]!] }, ["web"], "edges");
    const rows = await store.reader.rows(
      {
        sql: withFilter("SELECT count() AS n FROM edges_1m WHERE 1 /* filter */", where),
        row: z.object({ n: z.coerce.number() }),
      },
      where.params,
      unhurried,
    );
    expect(rows[0]!.n).toBeGreaterThan(0);
  });
});
