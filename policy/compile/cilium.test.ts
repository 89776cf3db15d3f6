import { describe, expect, it } from "vitest";
import { parsePolicies } from "../parse/policies.ts";
import { compilePolicies } from "../profiles.ts";
import { EMPTY_WORLD, type World } from "../world.ts";
import { WorldIndex } from "../world-index.ts";

const WORLD: World = {
  ...EMPTY_WORLD,
  namespaces: ["shop", "pay"].map((name) => ({ name, labels: new Map() })),
  endpoints: ["shop", "pay"].map((namespace, i) => ({
    namespace,
    name: "web",
    labels: new Map([["app", "web"]]),
    addresses: [`10.0.${i}.1`],
    serviceAccount: "default",
    ports: [],
  })),
};

/** What a policy of namespace shop with that subject does to pay/web → shop/web, when it lets nobody in. */
function verdict(subject: string): string {
  const text = `apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a, namespace: shop}\nspec: {endpointSelector: ${subject}, ingress: [{}]}\n`;
  const { documents, problems } = parsePolicies(text, "p.yaml");
  expect(problems).toEqual([]);
  const world = new WorldIndex(WORLD);
  const [destination, source] = ["shop", "pay"].map((namespace) => world.endpointNamed(namespace, "web")!);
  const set = compilePolicies(documents, world, "cilium");
  return set.explain({ source: source!, destination: destination!, protocol: 6, port: 80 }).ingress.verdict;
}

describe("a CiliumNetworkPolicy's subject that names another namespace", () => {
  it("is of the policy's own where a label names it, and nobody where an expression does", () => {
    expect(verdict("{matchLabels: {'k8s:io.kubernetes.pod.namespace': pay}}")).toBe("deny");
    const expression = (values: string) =>
      `{matchExpressions: [{key: 'k8s:io.kubernetes.pod.namespace', operator: In, values: [${values}]}]}`;
    expect(verdict(expression("pay"))).toBe("allow");
    expect(verdict(expression("pay, shop"))).toBe("deny");
  });
});
