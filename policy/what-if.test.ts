import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ruleUse, uncovered, wideRules } from "./findings.ts";
import { parsePolicies } from "./parse/policies.ts";
import type { PolicyDocument } from "./parse/documents.ts";
import { formatTuples, parseTuples, TuplesRefused } from "./tuples-file.ts";
import type { Tuple, TupleIdentity, TupleSet } from "./tuples.ts";
import { applyChanges, changeOf, WhatIf } from "./what-if.ts";

const identity = (id: string, namespace: string, labels: Record<string, string>): TupleIdentity => ({
  id,
  namespace,
  workload: id,
  labels: new Map(Object.entries(labels)),
  addresses: [`10.0.0.${id.length}`],
  ports: [],
  serviceAccount: "default",
  entity: undefined,
});
const tuple = (
  source: string,
  destination: string,
  port: number,
  connections: number,
  more: Partial<Tuple> = {},
): Tuple => ({
  source: { kind: "identity", id: source },
  destination: { kind: "identity", id: destination },
  protocol: 6,
  port,
  connections,
  firstSeen: 0,
  lastSeen: 1000,
  recorded: undefined,
  l7: undefined,
  sample: undefined,
  ...more,
});
const set = (tuples: Tuple[]): TupleSet => ({
  from: 0,
  to: 1000,
  produced: 100,
  lost: 5,
  identities: [
    identity("web", "shop", { app: "web" }),
    identity("dbdb", "shop", { app: "db" }),
    identity("loner", "pay", { app: "loner" }),
  ],
  namespaces: [],
  names: [],
  tuples,
});
const read = (text: string): PolicyDocument[] => {
  const { documents, problems } = parsePolicies(text, "p.yaml");
  expect(problems.filter((problem) => problem.severity === "error")).toEqual([]);
  return [...documents];
};
const db = (rules: string) => `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  policyTypes: [Ingress]
  ingress:
${rules}`;
const FROM_WEB = "  - from: [{podSelector: {matchLabels: {app: web}}}]\n    ports: [{port: 5432}]\n";

describe("today's policies against a candidate", () => {
  const traffic = set([tuple("web", "dbdb", 5432, 40), tuple("loner", "dbdb", 5432, 3), tuple("web", "dbdb", 80, 7)]);

  test("counts what would be newly denied, by weight, and says what it rests on", () => {
    const whatIf = new WhatIf({ tuples: traffic, profile: "kubernetes" }, []);
    const diff = whatIf.diff(read(db(FROM_WEB)));
    expect(diff.newlyDenied).toEqual([2, 1]);
    expect(diff.counts["newly-denied"]).toEqual({ tuples: 2, connections: 10 });
    expect(diff.counts["still-allowed"]).toEqual({ tuples: 1, connections: 40 });
    expect(changeOf(diff, 1)).toBe("newly-denied");
    expect(diff.basis).toMatchObject({ tuples: 3, connections: 50, unknownShare: 0, lostShare: 0.05 });
  });

  test("a candidate that deletes a policy newly allows; the same set changes nothing", () => {
    const today = read(db(FROM_WEB));
    const whatIf = new WhatIf({ tuples: traffic, profile: "kubernetes" }, today);
    expect(whatIf.diff(applyChanges(today, [], today)).newlyAllowed).toEqual([2, 1]);
    const same = whatIf.diff(today);
    expect([...same.newlyDenied, ...same.newlyAllowed]).toEqual([]);
    expect(applyChanges(today, read(db("  - {}\n")))).toHaveLength(1);
  });

  test("what happened although today's policies deny it is a disagreement", () => {
    const whatIf = new WhatIf(
      {
        tuples: set([tuple("loner", "dbdb", 1, 1), tuple("web", "dbdb", 5432, 1, { recorded: "denied" })]),
        profile: "kubernetes",
      },
      read(db(FROM_WEB)),
    );
    expect(whatIf.diff(read(db(FROM_WEB))).disagreements).toEqual([0, 1]);
  });

  test("requests are judged where they were recorded, and named where they were not", () => {
    const policy = read(`apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: db}}
  ingress:
  - fromEndpoints: [{matchLabels: {app: web}}]
    toPorts: [{ports: [{port: "80", protocol: TCP}], rules: {http: [{method: GET, path: "/cart/.*"}]}}]
`);
    const rows = ["GET /cart/7", "POST /cart/7", "GET /other", undefined].map((l7, i) =>
      tuple("web", "dbdb", 80, i + 1, { l7 }),
    );
    const diff = new WhatIf({ tuples: set(rows), profile: "cilium" }, []).diff(policy);
    expect(diff.newlyDenied.toSorted()).toEqual([1, 2]);
    expect(diff.needsL7).toEqual([3]);
  });
});

describe("IP versions", () => {
  const both = { ...identity("web", "shop", { app: "web" }), addresses: ["10.0.0.3", "fd00::3"] };
  const traffic = {
    ...set([
      tuple("web", "dbdb", 5432, 1, { family: 4 }),
      tuple("web", "dbdb", 5432, 2, { family: 6 }),
      tuple("web", "dbdb", 5432, 3),
    ]),
    identities: [both, { ...identity("dbdb", "shop", { app: "db" }), addresses: ["10.0.0.4", "fd00::4"] }],
  };
  const block = (cidr: string) => read(db(`  - from: [{ipBlock: {cidr: "${cidr}"}}]\n`));

  test.each(["kubernetes", "calico"] as const)("a block lets in traffic of its own alone (%s)", (profile) => {
    const denied = (cidr: string) => new WhatIf({ tuples: traffic, profile }, []).diff(block(cidr)).newlyDenied;
    expect(denied("10.0.0.0/24")).toEqual([1]);
    // Without a recorded version any of a pod's addresses counts; Calico takes IPv4.
    expect(denied("fd00::/64")).toEqual(profile === "calico" ? [2, 0] : [0]);
    expect(denied("0.0.0.0/0")).toEqual([1]);
  });

  test("and the explanation is that of the version", () => {
    const whatIf = new WhatIf({ tuples: traffic, profile: "kubernetes" }, block("10.0.0.0/24"));
    expect(whatIf.explain(whatIf.today, 0).ingress.decidedBy.kind).toBe("rules");
    expect(whatIf.explain(whatIf.today, 1).ingress.decidedBy.kind).toBe("default-deny");
    expect(whatIf.today.selecting(whatIf.questions.destination[1]!, "ingress")).toEqual([0]);
  });
});

describe("what traffic says about rules", () => {
  const traffic = set([tuple("web", "dbdb", 5432, 40), tuple("loner", "web", 80, 3)]);
  const use = (rules: string) => {
    const whatIf = new WhatIf({ tuples: traffic, profile: "kubernetes" }, read(db(rules)));
    return { whatIf, uses: ruleUse(whatIf, whatIf.today, whatIf.todaysAnswers) };
  };

  test("dead, redundant and used rules are told apart", () => {
    const { uses } = use(
      `${FROM_WEB}  - from: [{podSelector: {}}]\n    ports: [{port: 5432}]\n  - ports: [{port: 9999}]\n`,
    );
    expect(uses.map(({ state }) => state)).toEqual(["redundant", "redundant", "dead"]);
    expect(use(FROM_WEB).uses.map(({ state }) => state)).toEqual(["used"]);
  });
  test("a rule wider than the traffic comes with a narrower form", () => {
    const { whatIf, uses } = use("  - {}\n");
    expect(wideRules(whatIf.today, uses)).toEqual([
      expect.objectContaining({
        what: "allows every port and every peer",
        narrower: "ports TCP 5432; peers shop/web would do for what was seen",
      }),
    ]);
  });
  test("who has no policy is listed, most traffic first", () => {
    const { whatIf } = use(FROM_WEB);
    expect(uncovered(whatIf, whatIf.today).map(({ identity: { id }, directions }) => [id, directions.length])).toEqual([
      ["web", 2],
      ["dbdb", 1],
      ["loner", 2],
    ]);
  });
});

describe("the tuples file", () => {
  const word = fc.string({ minLength: 1, maxLength: 8, unit: "grapheme-ascii" });
  const sets = fc.record({
    labels: fc.dictionary(word, word, { maxKeys: 3 }),
    port: fc.nat(65535),
    connections: fc.nat(1000),
    l7: fc.option(word, { nil: undefined }),
    name: word,
  });

  test("what is written reads as it was", () => {
    fc.assert(
      fc.property(sets, ({ labels, port, connections, l7, name }) => {
        const written: TupleSet = {
          ...set([
            tuple("a", "a", port, connections, { l7, sample: name, family: 6 }),
            tuple("a", "a", port, connections, {
              destination: { kind: "address", address: "192.0.2.1", name: undefined, called: name },
            }),
            tuple("a", "a", 1, 1, { protocol: 47, recorded: "denied" }),
          ]),
          identities: [identity("a", name, labels)],
          namespaces: [{ name, labels: new Map(Object.entries(labels)) }],
          names: [{ name, addresses: ["1.2.3.4"] }],
          sharedOut: connections,
        };
        expect(parseTuples([...formatTuples(written)].join("\n"), "f")).toEqual(written);
      }),
    );
  });
  test("a line that is wrong is refused with its place", () => {
    const header = '{"format":"weir-tuples/1","from":"2026-01-01T00:00:00Z","to":"2026-01-02T00:00:00Z"}';
    expect(() =>
      parseTuples(`${header}\n{"tuple":{"src":{"id":"x"},"dst":{"id":"x"},"protocol":"TCP","port":1}}`, "t.jsonl"),
    ).toThrow(/t\.jsonl:2.*identity "x" is not known/);
    expect(() => parseTuples('{"a":1}', "t.jsonl")).toThrow(TuplesRefused);
    expect(() => parseTuples("", "t.jsonl")).toThrow(/empty/);
    expect(() => parseTuples(`${header}\n{`, "t.jsonl")).toThrow(/no JSON/);
  });
});
