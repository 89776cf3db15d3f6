import { describe, expect, it } from "vitest";
import { parsePolicies } from "../parse/policies.ts";
import { formatProblem } from "../parse/problem.ts";
import type { PlannedPeer, PlannedPolicy } from "./plan.ts";
import { writePolicy } from "./write.ts";

function policyWith(peers: readonly PlannedPeer[], ports = [{ protocol: 6, port: 80 }]): PlannedPolicy {
  const rule = { peers, ports, rows: [], forNames: false };
  return { namespace: "shop", name: "web", subject: new Map([["app", "web"]]), ingress: [rule], egress: [rule] };
}

function problemsOf(policy: PlannedPolicy): string[] {
  const text = writePolicy("CalicoNetworkPolicy", policy, ["ingress", "egress"]);
  return parsePolicies(text, "generated.yaml").problems.map(formatProblem);
}

describe("a generated Calico policy", () => {
  it("is taken by Calico when a rule has blocks of both families, or hundreds", () => {
    const blocks = Array.from({ length: 600 }, (_, i) => `8.${i >> 8}.${i & 255}.1/32`).concat("2001:db8::1/128");
    expect(problemsOf(policyWith(blocks.map((block) => ({ kind: "block", block }))))).toEqual([]);
  });

  it("is taken when a rule has more workloads than a selector has room for", () => {
    const pods = Array.from({ length: 60 }, (_, i): PlannedPeer => ({
      kind: "pods",
      namespace: `team-${i}`,
      labels: new Map([["app", `service-${i}`]]),
    }));
    expect(problemsOf(policyWith(pods))).toEqual([]);
  });

  it("is taken when a rule has more ports than a list has room for", () => {
    const ports = Array.from({ length: 120 }, (_, i) => ({ protocol: 6, port: 1000 + 2 * i }));
    expect(problemsOf(policyWith([{ kind: "block", block: "10.0.0.0/8" }], ports))).toEqual([]);
  });
});
