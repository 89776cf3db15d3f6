import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parsePolicies } from "../parse/policies.ts";
import type { Tuple, TupleEnd, TupleIdentity, TupleSet } from "../tuples.ts";
import { VERDICT_BITS } from "../verdict.ts";
import { WhatIf } from "../what-if.ts";
import { generatePolicies } from "./generate.ts";
import type { LabelChoice } from "./selectors.ts";
import { joinBlocks } from "./plan.ts";
import { GENERATED_KINDS, writePolicy, type GeneratedKind } from "./write.ts";

const NAMESPACES = ["shop", "pay"].map((name) => ({ name, labels: new Map([["kubernetes.io/metadata.name", name]]) }));

const identityArb = fc.record({
  namespace: fc.constantFrom("shop", "pay"),
  app: fc.constantFrom("web", "api", "db"),
  tier: fc.constantFrom("front", "back", ""),
});
const tupleArb = fc.record({
  source: fc.nat(9),
  destination: fc.nat(9),
  port: fc.constantFrom(80, 443, 5432, 8080),
  protocol: fc.constantFrom(6, 6, 6, 17, 1),
  connections: fc.integer({ min: 1, max: 50 }),
});

/** Five pods at most, then outside addresses (two of them with a name), then nothing else. */
function tupleSet(
  identities: readonly { namespace: string; app: string; tier: string }[],
  tuples: readonly { source: number; destination: number; port: number; protocol: number; connections: number }[],
): TupleSet {
  const seen = new Map<string, TupleIdentity>();
  for (const { namespace, app, tier } of identities) {
    const id = `${namespace}/${app}-${tier}`;
    const labels = new Map(
      tier === ""
        ? [["app", app]]
        : [
            ["app", app],
            ["tier", tier],
          ],
    );
    seen.set(id, {
      id,
      namespace,
      workload: app,
      labels,
      addresses: [`10.0.0.${seen.size + 1}`, `fd00::${seen.size + 1}`],
      ports: [],
      serviceAccount: "default",
      entity: undefined,
    });
  }
  const list = [...seen.values()];
  const end = (at: number): TupleEnd =>
    at < list.length
      ? { kind: "identity", id: list[at]!.id }
      : { kind: "address", address: `93.184.216.${at}`, name: at === 9 ? "api.example.com" : undefined };
  const unique = new Map<string, Tuple>();
  for (const { source, destination, port, protocol, connections } of tuples) {
    if (source === destination || (source >= list.length && destination >= list.length)) continue;
    const type = protocol === 1 ? 8 : port;
    unique.set(`${source} ${destination} ${protocol} ${type}`, {
      source: end(source),
      destination: end(destination),
      protocol,
      port: type,
      ...(protocol === 1 ? {} : { family: connections % 2 === 0 ? 4 : 6 }),
      connections,
      firstSeen: 0,
      lastSeen: 1,
      recorded: undefined,
      l7: undefined,
      sample: undefined,
    });
  }
  return {
    from: 0,
    to: 1,
    produced: 0,
    lost: 0,
    identities: list,
    namespaces: NAMESPACES,
    names: [],
    tuples: [...unique.values()],
  };
}

function deniedRows(set: TupleSet, yaml: string, kind: GeneratedKind): number[] {
  const { documents, problems } = parsePolicies(yaml, "generated.yaml");
  expect(problems.filter((problem) => problem.severity === "error")).toEqual([]);
  const { todaysAnswers } = new WhatIf({ tuples: set, profile: GENERATED_KINDS[kind].profile }, documents);
  return set.tuples.flatMap((_, row) => ((todaysAnswers.code[row]! & VERDICT_BITS.denied) !== 0 ? [row] : []));
}

describe.each(Object.keys(GENERATED_KINDS) as GeneratedKind[])("generated %s", (kind) => {
  const worlds = fc.tuple(
    fc.array(identityArb, { minLength: 1, maxLength: 5 }),
    fc.array(tupleArb, { minLength: 1, maxLength: 12 }),
  );

  test("denies nothing that was seen, and without any one rule something would be denied", () => {
    fc.assert(
      fc.property(worlds, ([identities, tuples]) => {
        const set = tupleSet(identities, tuples);
        const generated = generatePolicies(set, { kind, subjects: () => true });
        expect(generated.unsaid).toEqual([]);
        expect(deniedRows(set, generated.yaml, kind)).toEqual([]);
        for (const [at, policy] of generated.policies.entries())
          for (const direction of ["ingress", "egress"] as const)
            for (const [index, rule] of policy[direction].entries()) {
              if (rule.forNames) continue;
              const left = policy[direction].filter((_, i) => i !== index);
              const { namespace, name } = policy;
              const subject = planSubject(generated, at);
              const without = writePolicy(
                kind,
                { namespace, name, subject, ingress: policy.ingress, egress: policy.egress, [direction]: left },
                ["ingress", "egress"],
              );
              const all = generated.policies.map((other, i) => (i === at ? without : other.yaml)).join("---\n");
              expect(
                deniedRows(set, all, kind).length,
                `${policy.yaml} without ${direction}[${index}]`,
              ).toBeGreaterThan(0);
            }
      }),
      { numRuns: 40 },
    );
  });
});

function planSubject(generated: ReturnType<typeof generatePolicies>, at: number): LabelChoice {
  return generated.policies[at]!.subject;
}

test("two halves of a block become the block, and nothing more", () => {
  expect(joinBlocks(["10.0.0.0/32", "10.0.0.1/32", "10.0.0.2/32", "10.0.0.3/32", "10.0.0.5/32"]).sort()).toEqual([
    "10.0.0.0/30",
    "10.0.0.5/32",
  ]);
  expect(joinBlocks(["fd00::/128", "fd00::1/128"])).toEqual(["fd00::/127"]);
});

test("NetworkPolicy cannot name nodes: they are listed, not forgotten", () => {
  const set = tupleSet([{ namespace: "shop", app: "web", tier: "" }], []);
  const host: TupleIdentity = { ...set.identities[0]!, id: "host", entity: "kube-apiserver" };
  const tuple: Tuple = {
    source: { kind: "identity", id: set.identities[0]!.id },
    destination: { kind: "identity", id: "host" },
    protocol: 6,
    port: 6443,
    connections: 1,
    firstSeen: 0,
    lastSeen: 1,
    recorded: undefined,
    l7: undefined,
    sample: undefined,
  };
  const whole = { ...set, identities: [...set.identities, host], tuples: [tuple] };
  const generated = generatePolicies(whole, { kind: "NetworkPolicy", subjects: () => true });
  expect(generated.unsaid).toEqual([0]);
  expect(generated.notes[0]).toMatch(/would be denied/);
  expect(generatePolicies(whole, { kind: "CiliumNetworkPolicy", subjects: () => true }).yaml).toContain(
    "kube-apiserver",
  );
});
