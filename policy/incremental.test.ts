import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { answerColumns, type CompiledPolicySet } from "./engine.ts";
import { parsePolicies } from "./parse/policies.ts";
import { compilePolicies } from "./profiles.ts";
import { parseCase, type PolicyCase } from "./verify/case.ts";
import { benchWorld } from "../bench/policy/world.ts";
import { uncovered } from "./findings.ts";
import type { TupleSet } from "./tuples.ts";
import { WhatIf } from "./what-if.ts";
import { EMPTY_WORLD, type Side, type WorldEndpoint } from "./world.ts";
import { WorldIndex } from "./world-index.ts";

const RUNS = Number(process.env["WEIR_RUNS"] ?? 1);
const shared = new URL("../../shared/cases/policy/", import.meta.url);
const cases = ["netpol-v1", "anp", "cluster-network-policy", "cilium", "calico"].map((name) =>
  readFileSync(new URL(`${name}.jsonl`, shared), "utf8")
    .trim()
    .split("\n"),
);

/** What a set says of a case's flows: codes, the rules that decide, and the same by explanation. */
function answersOf(set: CompiledPolicySet, world: WorldIndex, it: PolicyCase): unknown {
  const known = (side: Side) => world.idOf(side);
  const flows = it.flows.filter((flow) => known(flow.source) !== undefined && known(flow.destination) !== undefined);
  const questions = {
    length: flows.length,
    source: Uint32Array.from(flows, (flow) => known(flow.source)!),
    destination: Uint32Array.from(flows, (flow) => known(flow.destination)!),
    protocol: Uint8Array.from(flows, (flow) => flow.protocol),
    port: Uint16Array.from(flows, (flow) => flow.port),
    sourcePort: Uint16Array.from(flows, (flow) => flow.sourcePort),
    icmpCode: Uint8Array.from(flows, (flow) => flow.icmpCode),
  };
  const answers = answerColumns(flows.length);
  set.evaluate(questions, answers);
  const explained = flows.map((flow) => {
    const { protocol, port, sourcePort, icmpCode } = flow;
    const ends = { source: known(flow.source)!, destination: known(flow.destination)! };
    return set.explain({ ...ends, protocol, port, sourcePort, icmpCode });
  });
  return { ...answers, explained };
}

/** Pods that come one after the other, asked in between, end as pods that were there from the start. */
function hold(it: PolicyCase, first: number, step: number): void {
  const { documents } = parsePolicies(it.policies, "p.yaml");
  const full = new WorldIndex(it.world);
  const { endpoints } = it.world;
  const grown = new WorldIndex({ ...it.world, endpoints: endpoints.slice(0, first) });
  const set = compilePolicies(documents, grown, it.profile);
  answersOf(set, grown, it);
  for (let at = first; at < endpoints.length; at += step) {
    for (const endpoint of endpoints.slice(at, at + step)) grown.add(endpoint);
    answersOf(set, grown, it);
  }
  expect(answersOf(set, grown, it)).toEqual(answersOf(compilePolicies(documents, full, it.profile), full, it));
  for (const [index] of endpoints.entries())
    for (const direction of ["ingress", "egress"] as const) {
      const side = { kind: "endpoint", index } as const;
      const fresh = compilePolicies(documents, full, it.profile);
      if (index % 7 === 0)
        expect(set.selecting(grown.idOf(side)!, direction)).toEqual(fresh.selecting(full.idOf(side)!, direction));
    }
}

test("a set that takes pods in as they come answers as one that is compiled with all of them", () => {
  fc.assert(
    fc.property(fc.nat(4), fc.nat(), fc.nat(10), fc.integer({ min: 1, max: 5 }), (kind, at, first, step) => {
      const list = cases[kind]!;
      const it = parseCase(list[at % list.length]!, "case");
      hold(it, Math.min(first, it.world.endpoints.length), step);
    }),
    { numRuns: 60 * RUNS },
  );
});

test("more pods than there was room for are no different", () => {
  for (const list of cases) {
    const it = parseCase(list[7]!, "case");
    const copies: WorldEndpoint[] = Array.from({ length: 150 }, (_, i) => {
      const endpoint = it.world.endpoints[i % it.world.endpoints.length]!;
      return { ...endpoint, name: `${endpoint.name}-${i}`, addresses: [`10.250.${i >> 6}.${i & 63}`] };
    });
    hold({ ...it, world: { ...it.world, endpoints: [...copies.slice(0, 3), ...copies.slice(3)] } }, 3, 40);
    hold(
      { ...it, world: { ...it.world, endpoints: [...it.world.endpoints, ...copies] } },
      it.world.endpoints.length,
      60,
    );
  }
});

test("a pod that disagrees with the others of its identity about a port name changes what the name means on them, too", () => {
  const pod = (name: string, port: number): WorldEndpoint => ({
    namespace: "a",
    name,
    labels: new Map([["app", name.split("-")[0]!]]),
    addresses: [],
    serviceAccount: "default",
    ports: [{ name: "http", port, protocol: "TCP" }],
  });
  const { documents } = parsePolicies(
    `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: p, namespace: a}
spec:
  endpointSelector: {matchLabels: {app: client}}
  egress:
  - toEndpoints: [{matchLabels: {app: server}}]
    toPorts: [{ports: [{port: http, protocol: TCP}]}]
`,
    "p.yaml",
  );
  const world = new WorldIndex({ ...EMPTY_WORLD, endpoints: [pod("client-0", 1), pod("server-0", 80)] });
  const set = compilePolicies(documents, world, "cilium");
  const verdict = () => {
    const answers = answerColumns(1);
    const [source, destination] = [Uint32Array.of(0), Uint32Array.of(1)];
    set.evaluate({ length: 1, source, destination, protocol: Uint8Array.of(6), port: Uint16Array.of(80) }, answers);
    return answers.code[0];
  };
  expect(verdict()).toBe(0);
  world.add(pod("server-1", 80));
  expect(verdict()).toBe(0);
  world.add(pod("server-2", 8080));
  expect(verdict()).toBe(1);
});

test("a what-if takes traffic with new identities in, and answers as a new one; where an identity changed it says so", () => {
  for (const profile of ["kubernetes", "cilium", "calico"] as const) {
    const { tuples, policies } = benchWorld(60, 12, 800);
    const { documents } = parsePolicies(policies.join("---\n"), "p.yaml");
    const part: TupleSet = {
      ...tuples,
      identities: tuples.identities.slice(0, 40),
      tuples: tuples.tuples.filter(({ source, destination }) =>
        [source, destination].every((end) => end.kind === "address" || Number(end.id.slice(2)) < 40),
      ),
    };
    const grown = new WhatIf({ tuples: part, profile }, documents);
    grown.diff(documents.slice(1));
    expect(grown.extend(tuples)).toBe(true);
    const fresh = new WhatIf({ tuples, profile }, documents);
    expect(grown.todaysAnswers).toEqual(fresh.todaysAnswers);
    const [ours, theirs] = [grown.diff(documents.slice(1)), fresh.diff(documents.slice(1))];
    expect([ours.newlyAllowed, ours.counts, ours.basis]).toEqual([theirs.newlyAllowed, theirs.counts, theirs.basis]);
    expect(uncovered(grown, grown.today)).toEqual(uncovered(fresh, fresh.today));
    expect(grown.extend(part)).toBe(false);
    const moved = tuples.identities.map((it, i) => (i === 3 ? { ...it, labels: new Map([["app", "other"]]) } : it));
    expect(grown.extend({ ...tuples, identities: moved })).toBe(false);
  }
});
