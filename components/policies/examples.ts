import type { Names } from "./answers.ts";

export interface Example {
  readonly title: string;
  readonly says: string;
  readonly name: string;
  readonly text: string;
}

/** Policies to start from, about workloads that exist in the traffic where there are any. */
export function examples({ workloads, ports }: Names): readonly Example[] {
  const subject = workloads.filter((it) => it.namespace !== "").toSorted((a, b) => b.connections - a.connections)[0];
  const namespace = subject?.namespace ?? "default";
  const [key, value] = Object.entries(subject?.labels ?? {}).find(([label]) => label === "app") ??
    Object.entries(subject?.labels ?? {})[0] ?? ["app", "web"];
  const port = ports[0]?.port ?? 8080;
  return [
    {
      title: "Close a namespace",
      says: `Nothing reaches the pods of ${namespace} but what another policy allows.`,
      name: `${namespace}-default-deny.yaml`,
      text: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: default-deny
  namespace: ${namespace}
spec:
  podSelector: {}
  policyTypes:
    - Ingress
`,
    },
    {
      title: "Let in one namespace on one port",
      says: `Pods with ${key}=${value} take in their own namespace on TCP ${port}, nobody else.`,
      name: `${value}-ingress.yaml`,
      text: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: ${value}-ingress
  namespace: ${namespace}
spec:
  podSelector:
    matchLabels:
      ${key}: ${value}
  ingress:
    - from:
        - podSelector: {}
      ports:
        - protocol: TCP
          port: ${port}
`,
    },
    {
      title: "Only look-ups may leave",
      says: `Pods with ${key}=${value} may ask DNS and reach nothing else.`,
      name: `${value}-egress.yaml`,
      text: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: ${value}-egress
  namespace: ${namespace}
spec:
  podSelector:
    matchLabels:
      ${key}: ${value}
  policyTypes:
    - Egress
  egress:
    - ports:
        - protocol: UDP
          port: 53
        - protocol: TCP
          port: 53
`,
    },
  ];
}
