import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseCidr } from "../../model/address.ts";
import { parsePolicies } from "../parse/policies.ts";
import { formatProblem } from "../parse/problem.ts";
import { printCalicoPolicy, type PrintablePolicy, type PrintableRule } from "./print.ts";
import { formatSelector, parseSelector, type Selector } from "./selector.ts";
import type { CalicoPolicySpec } from "./types.ts";

function selector(text: string): Selector {
  const result = parseSelector(text);
  if (!result.ok) throw new Error(result.error.message);
  return result.selector;
}

const EXAMPLE: PrintablePolicy = {
  namespace: "shop",
  name: "db",
  order: 100,
  selector: selector("app == 'db'"),
  types: ["Ingress", "Egress"],
  ingress: [
    {
      action: "Allow",
      protocol: "TCP",
      ports: { ranges: [{ first: 5432, last: 5432 }], names: [] },
      peer: { selector: selector("app == 'web' && tier != 'back'") },
      comment: "1,204 connections from web",
    },
  ],
  egress: [
    {
      action: "Allow",
      protocol: "UDP",
      ports: { ranges: [{ first: 53, last: 53 }], names: [] },
      peer: { nets: [parseCidr("10.96.0.10/32")!] },
    },
  ],
};

describe("a printed Calico policy", () => {
  it("reads as a person would write it, each rule with its reason", () => {
    expect(printCalicoPolicy(EXAMPLE)).toBe(`apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata:
  name: db
  namespace: shop
spec:
  order: 100
  selector: app == 'db'
  types:
    - Ingress
    - Egress
  ingress:
    # 1,204 connections from web
    - action: Allow
      protocol: TCP
      source:
        selector: app == 'web' && tier != 'back'
      destination:
        ports:
          - 5432
  egress:
    - action: Allow
      protocol: UDP
      destination:
        nets:
          - 10.96.0.10/32
        ports:
          - 53
`);
  });

  it("means the same once read again", () => {
    const value = fc.constantFrom("web", "a b", 'say "hi"', "it's", "", "#no", ": x");
    const term = fc.oneof(
      fc.record({
        kind: fc.constantFrom("equals" as const, "notEquals" as const, "startsWith" as const),
        key: fc.constantFrom("app", "example.com/role"),
        value,
      }),
      fc.record({
        kind: fc.constant("in" as const),
        key: fc.constant("tier"),
        values: fc.uniqueArray(value).map((list) => new Set(list)),
      }),
      fc.record({ kind: fc.constant("not" as const), operand: fc.constant<Selector>({ kind: "has", key: "app" }) }),
    );
    const any: fc.Arbitrary<Selector> = fc.oneof(
      term,
      fc.record({
        kind: fc.constantFrom("and" as const, "or" as const),
        operands: fc.array(term, { minLength: 2, maxLength: 3 }),
      }),
    );
    const rule: fc.Arbitrary<PrintableRule> = fc
      .record({
        action: fc.constantFrom("Allow" as const, "Deny" as const, "Pass" as const),
        selector: fc.option(any, { nil: undefined }),
        namespaceSelector: fc.option(any, { nil: undefined }),
        nets: fc.uniqueArray(fc.constantFrom("10.0.0.0/8", "1.2.3.4/32")),
        ranges: fc.array(fc.constantFrom({ first: 80, last: 80 }, { first: 8000, last: 9000 }), { maxLength: 2 }),
        names: fc.array(fc.constantFrom("http", "dns-tcp"), { maxLength: 1 }),
        comment: fc.option(fc.constantFrom("because", "two\nlines", "# more"), { nil: undefined }),
      })
      .map(({ action, selector: own, namespaceSelector, nets, ranges, names, comment }) => ({
        action,
        protocol: "TCP",
        ...(ranges.length + names.length === 0 ? {} : { ports: { ranges, names } }),
        peer: {
          ...(own === undefined ? {} : { selector: own }),
          ...(namespaceSelector === undefined ? {} : { namespaceSelector }),
          nets: nets.map((net) => parseCidr(net)!),
        },
        ...(comment === undefined ? {} : { comment }),
      }));
    const policy = fc.record({
      ingress: fc.array(rule, { maxLength: 3 }),
      egress: fc.array(rule, { maxLength: 3 }),
      selector: any,
      staged: fc.boolean(),
      namespace: fc.constantFrom("", "shop"),
    });
    fc.assert(
      fc.property(policy, (parts) => {
        const given: PrintablePolicy = { ...parts, name: "a", types: ["Ingress", "Egress"] };
        const { documents, problems } = parsePolicies(printCalicoPolicy(given), "printed.yaml");
        expect(problems.map(formatProblem)).toEqual([]);
        const read = documents[0]!.spec as CalicoPolicySpec;
        expect(formatSelector(read.selector!)).toBe(formatSelector(given.selector!));
        for (const direction of ["ingress", "egress"] as const)
          for (const [i, wanted] of given[direction].entries()) {
            const rule = read[direction][i]!;
            const peer = direction === "ingress" ? rule.source : rule.destination;
            expect(rule.action).toBe(wanted.action.toLowerCase());
            expect(rule.destination.ports).toEqual(wanted.ports);
            expect(peer.nets).toEqual(wanted.peer.nets);
            const text = (tree: Selector | undefined) => tree && formatSelector(tree);
            expect([text(peer.selector), text(peer.namespaceSelector)]).toEqual([
              text(wanted.peer.selector),
              text(wanted.peer.namespaceSelector),
            ]);
          }
      }),
      { numRuns: 200 },
    );
  });
});
