import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parsePolicies } from "./policies.ts";
import { parseYaml, YAML_LIMITS } from "./yaml.ts";

describe("YAML with positions", () => {
  test("says where each value stands", () => {
    const { documents } = parseYaml("a: 1\nb:\n  - x\n---\nc: 2\n", "f.yaml");
    expect(documents).toHaveLength(2);
    const root = documents[0]!.root;
    expect(root.kind).toBe("map");
    const list = root.kind === "map" ? root.entries.get("b")!.value : root;
    const item = list.kind === "list" ? list.items[0]! : list;
    expect(documents[0]!.source.position(item.at)).toEqual({ file: "f.yaml", line: 3, column: 5 });
    expect(documents[1]!.source.position(documents[1]!.root.at).line).toBe(5);
  });

  test("a key called __proto__ is a key like any other", () => {
    const { documents } = parseYaml("__proto__: {polluted: true}\nconstructor: x", "f");
    const root = documents[0]!.root;
    expect(root.kind === "map" && [...root.entries.keys()]).toEqual(["__proto__", "constructor"]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  test("a key written twice is refused where it stands the second time", () => {
    expect(parseYaml("a: 1\na: 2", "f").problems[0]).toMatchObject({ line: 2, column: 1 });
  });

  test.each([
    ["brackets", "[".repeat(1_000_000)],
    ["braces", "{".repeat(1_000_000)],
    ["dashes", "- ".repeat(1_000_000)],
    ["mixed flow", "[a, ".repeat(500_000)],
    ["question marks", "? ".repeat(500_000)],
  ])("%s without end are refused as too deep", (_, text) => {
    expect(parseYaml(text, "f").problems[0]?.message).toBe("nested too deeply");
  });

  test("a bomb of aliases is refused before it is expanded", () => {
    const lines = ["a: &a [x, x, x, x, x, x, x, x, x]"];
    for (let i = 0; i < 9; i++) {
      const [from, to] = ["abcdefghij"[i]!, "abcdefghij"[i + 1]!];
      lines.push(`${to}: &${to} [${Array(9).fill(`*${from}`).join(", ")}]`);
    }
    expect(parseYaml(lines.join("\n"), "f").problems[0]?.message).toMatch(/too many/);
  });

  test("too many documents and too long a text are refused", () => {
    expect(parseYaml("a: 1\n---\n".repeat(YAML_LIMITS.maxDocuments + 1), "f").problems[0]?.message).toMatch(
      /too many documents/,
    );
    expect(parseYaml("#".repeat(YAML_LIMITS.maxLength + 1), "f").problems[0]?.message).toMatch(/characters/);
  });
});

const words = fc.constantFrom(
  "apiVersion: networking.k8s.io/v1",
  "kind: NetworkPolicy",
  "kind: CiliumNetworkPolicy",
  "apiVersion: cilium.io/v2",
  "metadata:",
  "  name: a",
  "spec:",
  "  ingress:",
  "  - from:",
  "    - podSelector: {}",
  "    - ipBlock: {cidr: 10.0.0.0/8}",
  "    ports:",
  "    - port: 80",
  "  - {}",
  "  endpointSelector: {}",
  "  podSelector: {matchLabels: {a: b}}",
  "---",
  "- &x",
  "*x",
  "<<: *x",
  "__proto__: {}",
  "? [",
  "!!binary x",
  "{",
  "}",
  "[",
  "]",
  "|",
  ">",
  "\t",
  "null",
  "~",
  "%YAML 1.1",
  "\u0000",
  "'",
  "  specs:",
  "apiVersion: projectcalico.org/v3",
  "kind: GlobalNetworkPolicy",
  "  selector: a == 'b'",
  "apiVersion: policy.networking.k8s.io/v1alpha2",
  "kind: ClusterNetworkPolicy",
  "kind: List",
  "items:",
);

describe("whatever is given, parsing answers and never throws", () => {
  test("any text", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 400, unit: "binary" }), (text) => void parsePolicies(text, "f")),
      { numRuns: 500 },
    );
  });
  test("lines that look like policies, in any order", () => {
    fc.assert(
      fc.property(fc.array(words, { maxLength: 40 }), (lines) => {
        const { problems } = parsePolicies(lines.join("\n"), "f");
        for (const problem of problems) expect(problem.line).toBeGreaterThan(0);
      }),
      { numRuns: 1500 },
    );
  });
  test("any JSON under a kind that is known", () => {
    const kinds = fc.constantFrom(
      ["networking.k8s.io/v1", "NetworkPolicy"],
      ["cilium.io/v2", "CiliumNetworkPolicy"],
      ["cilium.io/v2", "CiliumClusterwideNetworkPolicy"],
      ["policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy"],
      ["policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy"],
      ["projectcalico.org/v3", "NetworkPolicy"],
    );
    const keys = fc.constantFrom(
      "ingress",
      "egress",
      "from",
      "to",
      "ports",
      "podSelector",
      "matchLabels",
      "matchExpressions",
      "endpointSelector",
      "subject",
      "namespaces",
      "pods",
      "toPorts",
      "rules",
      "http",
      "icmps",
      "fromCIDRSet",
      "tier",
      "priority",
      "selector",
      "types",
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        fc.constant(null),
        fc.integer(),
        fc.string(),
        fc.boolean(),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(keys, tie("value"), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(
        kinds,
        value,
        ([apiVersion, kind], spec) =>
          void parsePolicies(JSON.stringify({ apiVersion, kind, metadata: { name: "a" }, spec }), "f"),
      ),
      { numRuns: 1500 },
    );
  });
});

test("a file of 100,000 rules is read, and one of 200,000 distinct keys refused, in the time of their size", () => {
  const rules = `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: big, namespace: a}\nspec:\n  podSelector: {}\n  ingress:\n${"  - ports: [{port: 80}]\n".repeat(100_000)}`;
  const { documents, problems } = parsePolicies(rules, "big.yaml");
  expect(problems).toEqual([]);
  expect((documents[0]!.spec as { ingress: unknown[] }).ingress).toHaveLength(100_000);
  const keys = parsePolicies(Array.from({ length: 200_000 }, (_, i) => `k${i}: 1`).join("\n"), "keys.yaml");
  expect(keys.problems[0]?.message).toMatch(/apiVersion or kind/);
}, 120_000);
