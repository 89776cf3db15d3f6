/** Corners of NetworkPolicy v1 that seeds meet rarely, one policy set each. */
export const CORNERS: Readonly<Record<string, string>> = {
  "negative requirements hold where the key is missing": document(
    "alpha",
    "podSelector: {}\n  ingress:\n  - from:\n    - namespaceSelector: {matchExpressions: [{key: team, operator: NotIn, values: [red]}]}\n      podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [web]}]}",
  ),
  "a missing key and an empty value are two things": document(
    "alpha",
    'podSelector: {matchLabels: {app: web}}\n  ingress:\n  - from: [{podSelector: {matchLabels: {tier: ""}}}]\n  - from: [{namespaceSelector: {matchExpressions: [{key: team, operator: DoesNotExist}]}}]',
  ),
  "a port name is looked up on the pod that the packet goes to, by protocol": document(
    "alpha",
    "podSelector: {matchLabels: {app: db}}\n  policyTypes: [Egress]\n  egress:\n  - to: [{namespaceSelector: {}}]\n    ports: [{port: http}, {port: ask, protocol: UDP}, {port: nowhere}]\n  - to: [{ipBlock: {cidr: 192.0.2.0/24}}]\n    ports: [{port: sql}]",
  ),
  "a port name without peers, in": document(
    "alpha",
    "podSelector: {}\n  ingress:\n  - ports: [{port: http}, {port: ask}, {port: ask, protocol: UDP}]",
  ),
  "what one block leaves out another lets in, and each family stands for itself": document(
    "alpha",
    "podSelector: {}\n  policyTypes: [Ingress, Egress]\n  ingress:\n  - from:\n    - ipBlock: {cidr: 0.0.0.0/0, except: [10.77.0.0/16, 192.0.2.7/32]}\n    - ipBlock: {cidr: 10.77.2.0/24, except: [10.77.2.200/32]}\n  egress:\n  - to: [{ipBlock: {cidr: '::/0', except: ['fd77:2::/64']}}]",
  ),
  "an empty list of peers or ports is everybody, no rule is nobody": [
    document(
      "alpha",
      "podSelector: {matchLabels: {app: web}}\n  ingress:\n  - from: []\n    ports: [{port: 80, endPort: 8080}]",
      "a",
    ),
    document("alpha", "podSelector: {matchLabels: {app: api}}\n  ingress: []", "b"),
    document("alpha", "podSelector: {matchLabels: {app: db}}\n  ingress:\n  - {}", "c"),
    document("beta", "podSelector: {}\n  policyTypes: []\n  egress:\n  - ports: [{protocol: UDP}]", "d"),
    document("gamma", "podSelector: {}\n  policyTypes: [Ingress]\n  egress:\n  - ports: [{protocol: UDP}]", "e"),
  ].join("---\n"),
  "policies of one pod add up, both ends must agree": [
    document(
      "alpha",
      "podSelector: {matchLabels: {app: web}}\n  policyTypes: [Egress]\n  egress:\n  - to: [{podSelector: {}}]",
      "a",
    ),
    document(
      "alpha",
      "podSelector: {}\n  policyTypes: [Egress]\n  egress:\n  - to: [{namespaceSelector: {matchLabels: {team: blue}}}]\n    ports: [{port: 8080}]",
      "b",
    ),
    document(
      "beta",
      "podSelector: {}\n  ingress:\n  - from: [{namespaceSelector: {matchLabels: {env: prod}}, podSelector: {matchLabels: {tier: front}}}]",
      "c",
    ),
  ].join("---\n"),
};

function document(namespace: string, spec: string, name = "corner"): string {
  return `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec:\n  ${spec}\n`;
}
