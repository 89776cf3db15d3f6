import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { parseAddress } from "../../model/address.ts";
import { answerColumns, NO_RULE, type FlowQuestion } from "../engine.ts";
import { parsePolicies } from "../parse/policies.ts";
import { formatProblem } from "../parse/problem.ts";
import { compilePolicies } from "../profiles.ts";
import { VERDICT_BITS } from "../verdict.ts";
import { EMPTY_WORLD, type World, type WorldEndpoint } from "../world.ts";
import { WorldIndex } from "../world-index.ts";
import {
  documents,
  NAMESPACE_NAMES,
  protocolAndPort,
  V4_ADDRESSES,
  V6_ADDRESSES,
  world,
  type RandomWorld,
} from "./random.test-support.ts";
import { Twin } from "./twin.test-support.ts";

function worldOf(random: RandomWorld): World {
  const labelMap = (labels: Record<string, string>) => new Map(Object.entries(labels));
  return {
    ...EMPTY_WORLD,
    namespaces: NAMESPACE_NAMES.map((name, i) => ({ name, labels: labelMap(random.namespaceLabels[i]!) })),
    serviceAccounts: NAMESPACE_NAMES.map((namespace, i) => ({
      namespace,
      name: "runner",
      labels: labelMap(random.accountLabels[i]!),
    })),
    endpoints: random.pods.map(({ namespace, labels, account, ports, families }, i) => ({
      namespace,
      name: `p${i}`,
      labels: labelMap(labels),
      addresses: [
        ...(families.includes("4") ? [`10.0.1.${10 + i}`] : []),
        ...(families.includes("6") ? [`fd00:1::${(10 + i).toString(16)}`] : []),
      ],
      serviceAccount: account,
      ports,
    })),
    config: { staged: random.staged },
  };
}

/** The two addresses of traffic between ends: IPv4 where both have it, but for ICMPv6; undefined when they share no family. */
function addressPair(
  source: readonly string[],
  destination: readonly string[],
  protocol: number,
): [string, string] | undefined {
  const order = protocol === 58 ? [true, false] : [false, true];
  for (const v6 of order) {
    const from = source.find((text) => text.includes(":") === v6);
    const to = destination.find((text) => text.includes(":") === v6);
    if (from !== undefined && to !== undefined) return [from, to];
  }
  return undefined;
}

const end = fc.oneof(
  { weight: 3, arbitrary: fc.nat(9) },
  { weight: 2, arbitrary: fc.constantFrom(...V4_ADDRESSES, ...V6_ADDRESSES) },
);
const flows = fc.array(fc.tuple(end, end, protocolAndPort), { minLength: 12, maxLength: 12 });

describe("the compiled engine and its obvious twin", () => {
  it("take the same way to the same verdict, by look-up and by explanation, for any documents and flows", () => {
    fc.assert(
      fc.property(world, documents, documents, flows, (random, before, objects, randomFlows) => {
        const given = worldOf(random);
        const yaml = (list: readonly object[]) => list.map((object) => stringify(object)).join("---\n");
        const text = yaml(objects);
        const parsed = parsePolicies(text, "random.yaml");
        expect(parsed.problems.filter(({ severity }) => severity === "error").map(formatProblem)).toEqual([]);
        const index = new WorldIndex(given);
        // another set before, on the same world: what is kept from it must not show
        compilePolicies(parsePolicies(yaml(before), "before.yaml").documents, index, "calico");
        const set = compilePolicies(parsed.documents, index, "calico");
        const twin = new Twin(given, parsed.documents);
        for (const [from, to, what] of randomFlows) {
          const pods = [from, to].map((side) =>
            typeof side === "number" ? given.endpoints[side % given.endpoints.length] : undefined,
          );
          const addresses = [from, to].map((side, i) => pods[i]?.addresses ?? [String(side)]);
          const pair = addressPair(addresses[0]!, addresses[1]!, what.protocol);
          if (pair === undefined || (pods[0] !== undefined && pods[0] === pods[1])) continue;
          const ids = [from, to].map((side) =>
            index.idOf(
              typeof side === "number"
                ? { kind: "endpoint", index: side % given.endpoints.length }
                : { kind: "address", address: side },
            ),
          );
          const question: FlowQuestion = { source: ids[0]!, destination: ids[1]!, ...what };
          const packet = { source: parseAddress(pair[0])!, destination: parseAddress(pair[1])!, ...what };
          const verdict = set.explain(question);
          const answers = answerColumns(1);
          set.evaluate(
            {
              length: 1,
              source: Uint32Array.of(question.source),
              destination: Uint32Array.of(question.destination),
              protocol: Uint8Array.of(what.protocol),
              port: Uint16Array.of(what.port),
              sourcePort: Uint16Array.of(what.sourcePort),
              icmpCode: Uint8Array.of(what.icmpCode),
            },
            answers,
          );
          const check = (direction: "egress" | "ingress", subject: WorldEndpoint | undefined) => {
            const { path, decidedBy } = verdict[direction];
            const expected = subject === undefined ? [] : twin.judge(subject, direction, packet);
            expect(path.map((step) => `${step.label} ${step.action}`)).toEqual(expected);
            const bit = direction === "egress" ? VERDICT_BITS.egressDenied : VERDICT_BITS.ingressDenied;
            expect((answers.code[0]! & bit) !== 0).toBe(expected.at(-1)?.endsWith(" deny") ?? false);
            const rule = direction === "egress" ? answers.egressRule[0]! : answers.ingressRule[0]!;
            expect(rule).toBe(decidedBy.kind === "rules" ? set.rules.indexOf(decidedBy.rules[0]!) : NO_RULE);
          };
          check("egress", pods[0]);
          check("ingress", pods[1]);
        }
      }),
      {
        numRuns: Number(process.env["WEIR_RUNS"] ?? 150),
        ...(process.env["WEIR_SEED"] === undefined ? {} : { seed: Number(process.env["WEIR_SEED"]) }),
      },
    );
  }, 600_000);
});
