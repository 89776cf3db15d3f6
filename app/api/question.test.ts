import { expect, test } from "vitest";
import { z } from "zod";
import { rangedQuestion, readParams } from "./question.ts";

test("times come as milliseconds, ISO or relative; scope as a comma list", () => {
  const question = rangedQuestion({ from: "1795560000000", to: "2026-11-25T00:00:00Z", q: "-port:53", scope: "a,b" });
  expect(question.range).toEqual({ from: 1795560000000, to: Date.UTC(2026, 10, 25) });
  expect(question.filter.terms).toHaveLength(1);
  expect(question.scope).toEqual(["a", "b"]);
});

test.each([
  ["a filter with a typo", { q: "prot:TCP" }, /^filter, character 1: .*did you mean proto/],
  ["a range that ends before it starts", { from: "now", to: "now-1h" }, /backwards/],
  ["a time that is none", { from: "soon" }, /“soon” is no time/],
  ["a filter of 5,000 characters", { q: "x".repeat(5000) }, /^q: /],
])("%s is refused in words", (_name, params, words) => {
  expect(() => rangedQuestion(params)).toThrow(words);
});

test("a wrong parameter is named", () => {
  expect(() => readParams(z.object({ limit: z.coerce.number().max(10) }), { limit: "11" })).toThrow(/^limit: /);
});
