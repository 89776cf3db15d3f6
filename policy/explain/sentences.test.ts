import { describe, expect, test } from "vitest";
import { parsePolicies } from "../parse/policies.ts";
import { sentencesOf } from "./sentences.ts";

const say = (yaml: string) => {
  const { documents, problems } = parsePolicies(yaml, "p.yaml");
  expect(problems.filter((problem) => problem.severity === "error")).toEqual([]);
  return sentencesOf(documents[0]!)!;
};

describe("a policy in plain English", () => {
  test("NetworkPolicy: who may reach whom, and what happens to the rest", () => {
    const { summary, rules } = say(`
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: payments, namespace: payments}
spec:
  podSelector: {matchLabels: {app: payments}}
  ingress:
  - from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: storefront}}, podSelector: {matchLabels: {app: web}}}]
    ports: [{port: 8443}]
  - from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}]
`);
    expect(summary).toBe("Everything else to pods with app=payments in payments is denied.");
    expect(rules).toEqual([
      {
        path: "spec.ingress[0]",
        text: "Pods with app=web in storefront may reach pods with app=payments in payments on TCP 8443.",
      },
      {
        path: "spec.ingress[1]",
        text: "Addresses in 10.0.0.0/8 but not in 10.1.0.0/16 may reach pods with app=payments in payments on any port.",
      },
    ]);
  });
  test("an isolating policy without rules denies everything", () => {
    expect(
      say(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a, namespace: x}\nspec: {podSelector: {}, policyTypes: [Ingress, Egress]}",
      ).summary,
    ).toBe("Everything to all pods in x is denied; everything from all pods in x is denied.");
  });
  test("Cilium: entities, names, requests, deny", () => {
    const { summary, rules } = say(`
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: web}}
  egress:
  - toFQDNs: [{matchName: api.example.com}]
    toPorts: [{ports: [{port: "443", protocol: TCP}]}]
  - toEndpoints: [{matchLabels: {app: cart}}]
    toPorts: [{ports: [{port: "80", protocol: TCP}], rules: {http: [{method: GET, path: /cart}]}}]
  egressDeny:
  - toEntities: [kube-apiserver]
`);
    expect(rules.map(({ text }) => text)).toEqual([
      "Pods with app=web in shop may reach api.example.com on TCP 443.",
      "Pods with app=web in shop may reach pods with app=cart in shop on TCP 80 for requests GET /cart.",
      "Traffic of pods with app=web in shop to the API server is denied, whatever else allows it.",
    ]);
    expect(summary).toBe("Everything else from pods with app=web in shop is denied.");
  });
  test("cluster policies: order and pass", () => {
    const { summary, rules } = say(`
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: a}
spec:
  tier: Admin
  priority: 10
  subject: {namespaces: {}}
  ingress:
  - {action: Pass, from: [{namespaces: {matchLabels: {team: red}}}], protocols: [{tcp: {destinationPort: {number: 80}}}]}
`);
    expect(summary).toContain("before any NetworkPolicy, in order 10");
    expect(rules[0]!.text).toBe(
      "Traffic of all pods in namespaces with team=red to all pods of every namespace on TCP 80 is left to NetworkPolicies.",
    );
  });
});
