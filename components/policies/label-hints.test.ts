import { expect, test } from "vitest";
import { labelHints } from "./label-hints.ts";

const NAMES = { labels: [{ key: "app", values: ["checkout", "web"] }], namespaces: ["shop", "pay"] };

test("a label that nobody has is named with its place and what was meant", () => {
  const text =
    'spec:\n  podSelector:\n    matchLabels:\n      app: web\n  ingress:\n    - from:\n        - podSelector:\n            matchLabels: {app: "checkuot"}\n';
  expect(labelHints("a.yaml", text, NAMES)).toEqual([
    { file: "a.yaml", line: 8, column: 33, key: "app", value: "checkuot", instead: "checkout" },
  ]);
  expect(text.split("\n")[7]!.slice(32, 40)).toBe("checkuot");
});

test("labels of namespaces are not those of pods, but their name is known", () => {
  const text =
    "- namespaceSelector:\n    matchLabels:\n      app: nobody\n      kubernetes.io/metadata.name: shopp\n  podSelector:\n    matchLabels:\n      team: x\n";
  expect(labelHints("a.yaml", text, NAMES).map((hint) => [hint.line, hint.value, hint.instead])).toEqual([
    [4, "shopp", "shop"],
  ]);
});
