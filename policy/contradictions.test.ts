import { describe, expect, test } from "vitest";
import { contradictions, type Contradiction } from "./contradictions.ts";
import { parsePolicies } from "./parse/policies.ts";
import { compilePolicies } from "./profiles.ts";
import { EMPTY_WORLD, type Profile, type WorldEndpoint } from "./world.ts";
import { WorldIndex } from "./world-index.ts";

const pod = (name: string, namespace = "shop"): WorldEndpoint => ({
  namespace,
  name,
  labels: new Map([["app", name]]),
  addresses: [],
  serviceAccount: "default",
  ports: [],
});

function find(profile: Profile, yaml: string): string[] {
  return contradictionsIn(profile, yaml).map(({ why, rule, by }) => `${why} ${rule.line} by ${by.line}`);
}

function sentences(profile: Profile, yaml: string): string[] {
  return contradictionsIn(profile, yaml).map(({ text }) => text);
}

function contradictionsIn(profile: Profile, yaml: string): readonly Contradiction[] {
  const { documents, problems } = parsePolicies(yaml, "p.yaml");
  expect(problems.filter((problem) => problem.severity === "error")).toEqual([]);
  const world = new WorldIndex({ ...EMPTY_WORLD, endpoints: [pod("web"), pod("db"), pod("cart"), pod("spy", "evil")] });
  const { found, complete } = contradictions(compilePolicies(documents, world, profile));
  expect(complete).toBe(true);
  return found;
}

const cilium = (rules: string) => `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: db}}
${rules}`;
const admin = (
  name: string,
  priority: number,
  action: string,
  port: number,
) => `apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: ${name}}
spec:
  priority: ${priority}
  subject: {namespaces: {}}
  ingress:
  - {action: ${action}, from: [{namespaces: {}}], ports: [{portNumber: {protocol: TCP, port: ${port}}}]}
`;
const calico = (name: string, order: string, action: string, selector: string) => `apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: ${name}, namespace: shop}
spec:
  ${order}
  selector: app == 'db'
  ingress:
  - {action: ${action}, protocol: TCP, source: {selector: ${selector}}, destination: {ports: [5432]}}
`;

describe("an allow that a deny always overrides", () => {
  const allow =
    "  ingress:\n  - fromEndpoints: [{matchLabels: {app: web}}]\n    toPorts: [{ports: [{port: '5432', protocol: TCP}]}]\n";
  test("is found with both lines in Cilium's kinds", () => {
    expect(find("cilium", cilium(`${allow}  ingressDeny:\n  - fromEndpoints: [{}]\n`))).toEqual(["overridden 7 by 10"]);
  });
  test("is none where a part of it still holds", () => {
    const narrow = "  ingressDeny:\n  - fromEndpoints: [{}]\n    toPorts: [{ports: [{port: '5433', protocol: TCP}]}]\n";
    expect(find("cilium", cilium(allow + narrow))).toEqual([]);
    expect(find("cilium", cilium(`${allow}  ingressDeny:\n  - fromEndpoints: [{matchLabels: {app: cart}}]\n`))).toEqual(
      [],
    );
  });
  test("is found across Admin tier and NetworkPolicy, and not where a Pass stands before", () => {
    const allowing = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
  - from: [{podSelector: {}}]
    ports: [{port: 80}]
`;
    const denied = `${allowing}---\n${admin("no", 10, "Deny", 80)}`;
    expect(find("kubernetes", denied)).toEqual(["overridden 7 by 17"]);
    expect(find("kubernetes", `${denied}---\n${admin("first", 5, "Pass", 80)}`)).toEqual([]);
  });
  test("a baseline is there to be overridden", () => {
    const baseline = admin("default", 0, "Deny", 80)
      .replace("AdminNetworkPolicy", "BaselineAdminNetworkPolicy")
      .replace("  priority: 0\n", "");
    expect(find("kubernetes", `${baseline}---\n${admin("a", 3, "Allow", 80)}`)).toEqual([]);
  });
  test("is found in Calico's order, whichever of the two comes first", () => {
    expect(
      find(
        "calico",
        `${calico("a", "order: 1", "Deny", "all()")}---\n${calico("b", "order: 2", "Allow", "app == 'web'")}`,
      ),
    ).toEqual(["overridden 17 by 8"]);
    expect(
      find(
        "calico",
        `${calico("a", "order: 1", "Allow", "all()")}---\n${calico("b", "order: 2", "Deny", "app == 'web'")}`,
      ),
    ).toEqual(["overridden 17 by 8"]);
    expect(
      find(
        "calico",
        `${calico("a", "order: 1", "Deny", "app == 'web'")}---\n${calico("b", "order: 2", "Allow", "all()")}`,
      ),
    ).toEqual([]);
  });
});

describe("what several rules override only together", () => {
  const allowing = (ports: string) => `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
  - from: [{podSelector: {}}]
    ports: ${ports}
`;
  test("is found where they share out the ports, with the fewest that it takes", () => {
    const two = `${allowing("[{port: 80}, {port: 81}]")}---\n${admin("a", 1, "Deny", 80)}---\n${admin("b", 2, "Deny", 81)}`;
    expect(find("kubernetes", two)).toEqual(["overridden 7 by 17"]);
    const ranges = allowing("[{port: 80, endPort: 81}]");
    const three = `${ranges}---\n${admin("a", 1, "Deny", 80)}---\n${admin("b", 2, "Deny", 81)}---\n${admin("c", 3, "Deny", 82)}`;
    expect(sentences("kubernetes", three)).toEqual([
      expect.stringMatching(/NetworkPolicy\/a.* and .*NetworkPolicy\/b.* come first, and together deny all/),
    ]);
  });
  test("is found where they share out the peers", () => {
    const allow =
      "  ingress:\n  - fromEndpoints: [{matchExpressions: [{key: app, operator: In, values: [web, cart]}]}]\n";
    const deny = (app: string) => `  - fromEndpoints: [{matchLabels: {app: ${app}}}]\n`;
    expect(find("cilium", cilium(`${allow}  ingressDeny:\n${deny("web")}${deny("cart")}`))).toEqual([
      "overridden 7 by 9",
    ]);
    expect(find("cilium", cilium(`${allow}  ingressDeny:\n${deny("web")}${deny("db")}`))).toEqual([]);
  });
  test("is none where a port is left over, or a Pass stands before one of them", () => {
    const yaml = `${allowing("[{port: 80}, {port: 81}]")}---\n${admin("a", 2, "Deny", 80)}---\n`;
    expect(find("kubernetes", `${yaml}${admin("b", 3, "Deny", 82)}`)).toEqual([]);
    expect(find("kubernetes", `${yaml}${admin("b", 3, "Deny", 81)}---\n${admin("c", 1, "Pass", 81)}`)).toEqual([]);
  });
});

describe("policies of one priority that disagree", () => {
  test("are named, the later one first; on other ports or at other priorities they are not", () => {
    expect(find("kubernetes", `${admin("a", 7, "Allow", 80)}---\n${admin("b", 7, "Deny", 80)}`)).toEqual([
      "tie 17 by 8",
    ]);
    expect(find("cilium", `${admin("a", 7, "Allow", 80)}---\n${admin("b", 7, "Pass", 80)}`)).toEqual(["tie 17 by 8"]);
    expect(find("kubernetes", `${admin("a", 7, "Allow", 80)}---\n${admin("b", 7, "Deny", 81)}`)).toEqual([]);
    expect(find("kubernetes", `${admin("a", 7, "Allow", 80)}---\n${admin("b", 7, "Allow", 80)}`)).toEqual([]);
  });
  test("in Calico the name decides, and that is said", () => {
    const yaml = `${calico("a", "order: 7", "Allow", "app == 'web'")}---\n${calico("b", "order: 7", "Deny", "all()")}`;
    expect(find("calico", yaml)).toEqual(["tie 17 by 8"]);
  });
});
