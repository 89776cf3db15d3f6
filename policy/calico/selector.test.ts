import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSelector } from "./selector-parser.ts";
import { formatSelector, matchesSelector, type Selector } from "./selector.ts";

function selector(text: string): Selector {
  const result = parseSelector(text);
  if (!result.ok) throw new Error(`${text}: ${result.error.message} at ${result.error.at}`);
  return result.selector;
}

function matches(text: string, labels: Record<string, string>): boolean {
  return matchesSelector(selector(text), (key) => (Object.hasOwn(labels, key) ? labels[key] : undefined));
}

describe("Calico selectors", () => {
  it.each([
    ["", "all()"],
    [" \t ", "all()"],
    ["app=='web'", 'app == "web"'],
    [`app != "it's"`, `app != "it's"`],
    [`app == 'say "hi"'`, `app == 'say "hi"'`],
    ["app in{'b','a','b',}", 'app in {"a", "b"}'],
    ["app in {}", "app in {}"],
    ["app notin {'a'}", 'app not in {"a"}'],
    ["app not\tin {'a'}", 'app not in {"a"}'],
    ["app startswith 'a' || app ends  with 'b'", '(app starts with "a" || app ends with "b")'],
    ["!!has(a)", "has(a)"],
    ["!!!has( a )", "!has(a)"],
    ["a == '1' && b == '2' || c == '3'", '((a == "1" && b == "2") || c == "3")'],
    ["a == '1' && (b == '2' || c == '3')", '(a == "1" && (b == "2" || c == "3"))'],
    ["in == 'in' && not in {'x'}", '(in == "in" && not in {"x"})'],
    ["global( )", "global()"],
    ["has(example.com/role_1-x)", "has(example.com/role_1-x)"],
  ])("reads %j as %j", (text, canonical) => {
    const result = parseSelector(text);
    expect(result.ok ? formatSelector(result.selector) : undefined).toBe(canonical);
  });

  it.each([
    ["app = 'web'", 4, "=="],
    ["app == web", 7, "text in quotes"],
    ["(app == 'web'", 13, ")"],
    ["app == 'web", 7, "a closing '"],
    ["has(a) & has(b)", 7, "&&"],
    ["has(a) has(b)", 7, "&&, || or the end"],
    ["app in ('web')", 7, "a list such as {'a', 'b'}"],
    ["app in {'a' 'b'}", 12, "text in quotes, a comma or }"],
    ["all", 3, "==, !=, in, not in, contains, starts with or ends with"],
    ["app inx {'a'}", 4, "==, !=, in, not in, contains, starts with or ends with"],
    ["has(a", 5, ")"],
    ["&& has(a)", 0, "a label, has(…), all(), ! or ("],
    ["app == 'web'\n", 12, "letters, digits, _ . / or -"],
    ["", -1, ""],
  ])("says where %j goes wrong and what belongs there", (text, at, expected) => {
    const result = parseSelector(text);
    if (at < 0) expect(result.ok).toBe(true);
    else expect(result.ok ? undefined : [result.error.at, result.error.expected]).toEqual([at, expected]);
  });

  it("match a missing label with !=, not in and !, and need it for contains, starts with and ends with", () => {
    for (const text of [
      "app != 'web'",
      "app not in {'web'}",
      "app not in {}",
      "!has(app)",
      "!(app == 'web')",
      "!app contains ''",
    ])
      expect([text, matches(text, {})]).toEqual([text, true]);
    for (const text of [
      "app contains ''",
      "app starts with ''",
      "app ends with ''",
      "app in {}",
      "app == ''",
      "has(app)",
    ])
      expect([text, matches(text, {})]).toEqual([text, false]);
    expect(matches("app contains ''", { app: "" })).toBe(true);
    expect(matches("app in {}", { app: "" })).toBe(false);
  });

  it("bind ! to the next term alone", () => {
    expect(matches("!has(a) && has(b)", { b: "" })).toBe(true);
    expect(matches("!has(a) && has(b)", {})).toBe(false);
    expect(matches("!(has(a) && has(b))", {})).toBe(true);
  });

  it("take no key for more than a key", () => {
    expect(matches("__proto__ == 'x' || has(constructor)", {})).toBe(false);
    expect(matches("__proto__ != 'x'", {})).toBe(true);
  });

  it("never throw on any text, and say a place within it", () => {
    const pieces = fc.constantFrom(
      "a",
      "app",
      "==",
      "!=",
      "'x'",
      '"',
      "'",
      "in",
      "not in",
      "{",
      "}",
      ",",
      "(",
      ")",
      "!",
      "&&",
      "||",
      " ",
      "\t",
      "\n",
      "has(",
      "all()",
      "global(",
      "contains",
      "é",
      "\u0000",
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(pieces, { maxLength: 20 }).map((list) => list.join("")),
    );
    fc.assert(
      fc.property(text, (any) => {
        const result = parseSelector(any);
        if (result.ok) return;
        expect(result.error.at).toBeGreaterThanOrEqual(0);
        expect(result.error.at).toBeLessThanOrEqual(any.length);
        expect(result.error.expected).not.toBe("");
      }),
      { numRuns: 2000 },
    );
  });

  it("mean the same once written in canonical form, and are in canonical form then", () => {
    const value = fc.constantFrom("web", "", "db", 'a"b', "a'b", "==");
    const key = fc.constantFrom("app", "tier", "in", "all");
    const { any } = fc.letrec<{ any: Selector }>((tie) => ({
      any: fc.oneof(
        { depthSize: "small" },
        fc.record({ kind: fc.constant("has" as const), key }),
        fc.record({
          kind: fc.constantFrom(
            "equals" as const,
            "notEquals" as const,
            "contains" as const,
            "startsWith" as const,
            "endsWith" as const,
          ),
          key,
          value,
        }),
        fc.record({
          kind: fc.constantFrom("in" as const, "notIn" as const),
          key,
          values: fc.uniqueArray(value).map((list) => new Set(list)),
        }),
        fc.record({ kind: fc.constant("not" as const), operand: tie("any") }),
        fc.record({
          kind: fc.constantFrom("and" as const, "or" as const),
          operands: fc.array(tie("any"), { minLength: 2, maxLength: 3 }),
        }),
      ),
    }));
    fc.assert(
      fc.property(any, fc.dictionary(key, value), (tree, labels) => {
        const text = formatSelector(tree);
        const again = selector(text);
        const label = (name: string) => (Object.hasOwn(labels, name) ? labels[name] : undefined);
        expect(matchesSelector(again, label)).toBe(matchesSelector(tree, label));
        expect(formatSelector(selector(formatSelector(again)))).toBe(formatSelector(again));
      }),
      { numRuns: 1000 },
    );
  });

  it("end on texts of a megabyte and on a hundred thousand parentheses", () => {
    const long = Array.from({ length: 100_000 }, (_, i) => `l${i % 7} == 'x'`).join(" || ");
    expect(parseSelector(long).ok).toBe(true);
    expect(parseSelector("(".repeat(100_000)).ok).toBe(false);
    expect(parseSelector("!".repeat(1_000_000)).ok).toBe(false);
    expect(parseSelector(`${"!".repeat(1_000_000)}has(a)`).ok).toBe(true);
    expect(parseSelector("a".repeat(1_000_000)).ok).toBe(false);
  });

  it("look at each label as often as the selector names it, no more", () => {
    const terms = 2000;
    const tree = selector(Array.from({ length: terms }, (_, i) => `!(k${i} == 'x' && has(k${i}))`).join(" && "));
    let looks = 0;
    matchesSelector(tree, () => {
      looks++;
      return undefined;
    });
    expect(looks).toBeLessThanOrEqual(2 * terms);
  });
});
