import { describe, expect, test } from "vitest";
import { parsePolicies } from "../../policy/parse/policies.ts";
import { fieldLine, subjectLine } from "./lines.ts";
import { withItem, withItemReplaced, withoutItem } from "./text-edits.ts";

const HEAD =
  "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: web\n  namespace: shop\nspec:\n";
const RULE = ["- from:", "    - podSelector: {}", "  ports:", "    - port: 80"];

function errors(text: string): string[] {
  return parsePolicies(text, "web.yaml").problems.map((problem) => problem.message);
}

describe("withItem", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    [
      "behind the last rule, comments kept",
      "  podSelector: {}\n  ingress:\n    # one\n    - from: []\n    # trailing\n",
      "    - from: []\n    - from:\n        - podSelector: {}",
    ],
    [
      "at the list's own indentation",
      "  ingress:\n  - from: []\n  podSelector: {}\n",
      "  - from: []\n  - from:\n      - podSelector: {}",
    ],
    ["into a list that is empty", "  podSelector: {}\n  ingress: [] # none\n", "  ingress:\n    - from:"],
    [
      "where there is no list yet",
      "  podSelector: {}\n  policyTypes: [Ingress]\n\n",
      "  policyTypes: [Ingress]\n  ingress:\n    - from:",
    ],
  ];
  test.each(cases)("puts a rule %s", (_, spec, wanted) => {
    const after = withItem(HEAD + spec, 1, "ingress", RULE);
    expect(after).toContain(wanted);
    expect(errors(after!)).toEqual([]);
    for (const line of spec.split("\n")) if (!line.includes("[] #")) expect(after).toContain(line);
  });

  test("leaves the documents around it alone", () => {
    const other = `${HEAD}  podSelector: {}\n`;
    const text = `${other}---\n${HEAD}  podSelector: {}\n  ingress:\n    - from: []\n---\n${other}`;
    const from = parsePolicies(text, "web.yaml").documents[1]!.position.line;
    const after = withItem(text, from, "ingress", RULE)!;
    expect(after.split("---\n")[0]).toBe(other);
    expect(after.split("---\n")[2]).toBe(other);
    expect(errors(after)).toEqual([]);
  });

  test("refuses a list in flow style", () => {
    expect(withItem(`${HEAD}  podSelector: {}\n  ingress: [{}]\n`, 1, "ingress", RULE)).toBeUndefined();
  });
});

test("a rule taken out leaves the others; the last one leaves an empty list", () => {
  const text = `${HEAD}  podSelector: {}\n  ingress:\n    - from:\n        - podSelector: {}\n    - ports:\n        - port: 80\n`;
  const one = withoutItem(text, 9)!;
  expect(one).not.toContain("from");
  expect(errors(one)).toEqual([]);
  const none = withoutItem(one, 9)!;
  expect(none).toContain("  ingress: []");
  expect(errors(none)).toEqual([]);
  expect(withoutItem(text, 8)).toBeUndefined();
});

test("a rule is replaced where it stands, and nothing else is touched", () => {
  const text = `${HEAD}  podSelector: {}\n  ingress:\n    # who\n    - from:\n        - podSelector: {}\n    - ports:\n        - port: 80\n`;
  const after = withItemReplaced(text, 10, [
    "- from:",
    "    - podSelector:",
    "        matchLabels:",
    "          app: web",
  ])!;
  expect(after).toContain(
    "    # who\n    - from:\n        - podSelector:\n            matchLabels:\n              app: web\n    - ports:",
  );
  expect(errors(after)).toEqual([]);
  expect(withItemReplaced(text, 8, ["- {}"])).toBeUndefined();
});

test("lines of fields are those that the parser names", () => {
  const lines =
    `# head\n${HEAD}  podSelector: {}\n  ingress:\n    # first\n    - from: []\n    - ports:\n        - port: 80\n`.split(
      "\n",
    );
  expect(subjectLine(lines, 2)).toBe(8);
  expect(fieldLine(lines, 2, "spec.ingress[0]")).toBe(11);
  expect(fieldLine(lines, 2, "spec.ingress[1]")).toBe(12);
});
