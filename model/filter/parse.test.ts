import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatFilter, parseFilter, quoteFilterValue } from "./parse.ts";

const right: readonly [string, unknown][] = [
  ["src:web", { on: "source", match: { kind: "workload", namespace: undefined, workload: "web" } }],
  ["src:storefront/web", { on: "source", match: { kind: "workload", namespace: "storefront", workload: "web" } }],
  ["dst:ns=storefront", { on: "destination", match: { kind: "namespace", namespace: "storefront" } }],
  ["dst:10.0.0.0/8", { on: "destination", match: { kind: "block", cidr: "10.0.0.0/8" } }],
  ["dst:fd00::1", { on: "destination", match: { kind: "block", cidr: "fd00::1" } }],
  ["label:app=web", { on: "either", match: { kind: "label", key: "app", value: "web" } }],
  ["label:app", { on: "either", match: { kind: "label", key: "app", value: undefined } }],
  ["port:8000-8999", { on: "port", from: 8000, to: 8999 }],
  ["proto:icmpv6", { on: "protocol", protocol: 58 }],
  ["reason:no_socket", { on: "reason", value: "NO_SOCKET" }],
  ['process:"my app"', { on: "process", value: "my app" }],
  ["payments", { on: "either", match: { kind: "word", word: "payments" } }],
];

const wrong: readonly [string, string][] = [
  ["sorce:web", "did you mean src"],
  ["port:65536", "no port"],
  ["port:90-80", "backwards"],
  ["verdict:perhaps", "expected one of"],
  ["src:", "needs a value"],
  ["port:80,", "needs a value"],
  ['src:"web', "not closed"],
  ["ip:10.0.0.0/33", "no address or block"],
  ["-", "excludes nothing"],
  ["src:pod=x", "not pod="],
];

describe("the filter language", () => {
  it.each(right)("reads %s", (text, condition) => {
    const { filter, problems } = parseFilter(text);
    expect(problems).toEqual([]);
    expect(filter.terms[0]!.any).toEqual([condition]);
  });

  it.each(wrong)("refuses %s and says why", (text, words) => {
    const { filter, problems } = parseFilter(`${text} port:80`.replace('"web port:80', '"web'));
    expect(problems[0]!.message).toContain(words);
    expect(problems[0]!.at).toBe(0);
    expect(filter.terms.every((term) => term.text !== text)).toBe(true);
  });

  it("takes alternatives and exclusions", () => {
    const { filter } = parseFilter("port:80,443 -dst:dns,cache");
    expect(filter.terms.map((term) => [term.negated, term.any.length])).toEqual([
      [false, 2],
      [true, 2],
    ]);
  });

  it("never throws, and reads its own text again", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200, unit: "binary" }), (text) => {
        const { filter } = parseFilter(text);
        const again = parseFilter(formatFilter(filter));
        expect(again.problems).toEqual([]);
        expect(again.filter.terms.map((term) => term.any)).toEqual(filter.terms.map((term) => term.any));
      }),
    );
  });

  it("reads any quoted value as it was", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 50 }), (value) => {
        const { filter, problems } = parseFilter(`process:${quoteFilterValue(value)}`);
        expect(problems).toEqual([]);
        expect(filter.terms[0]!.any).toEqual([{ on: "process", value }]);
      }),
    );
  });
});
