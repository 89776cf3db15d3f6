import { expect, test } from "vitest";
import { parsePolicies } from "../../policy/parse/policies.ts";
import { meaningOf } from "./meaning.ts";

const POLICY = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: payments, namespace: pay}
spec:
  podSelector: {matchLabels: {app: payments}}
  ingress:
    - from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}]
      ports: [{protocol: TCP, port: 8443}]
`;
const of = (text: string) => meaningOf(parsePolicies(text, "p.yaml").documents);

test("comments, blank lines and style change no meaning", () => {
  expect(of(`# a note\n\n${POLICY}`)).toBe(of(POLICY));
  expect(
    of(POLICY.replace("{app: payments}", "\n        app: payments").replace("matchLabels: \n", "matchLabels:\n")),
  ).not.toBe("");
});

test("every value that decides is part of the meaning", () => {
  const meanings = new Set(
    [
      POLICY,
      POLICY.replace("8443", "8444"),
      POLICY.replace("TCP", "UDP"),
      POLICY.replace("10.1.0.0/16", "10.2.0.0/16"),
      POLICY.replace("10.0.0.0/8", "10.0.0.0/9"),
      POLICY.replace("app: payments", "app: ledger"),
      POLICY.replace("namespace: pay", "namespace: shop"),
      POLICY.replace("name: payments,", "name: other,"),
      POLICY.replace("      ports: [{protocol: TCP, port: 8443}]\n", ""),
      "",
    ].map(of),
  );
  expect(meanings.size).toBe(10);
});
