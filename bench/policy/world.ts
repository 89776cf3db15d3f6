import type { Tuple, TupleIdentity, TupleSet } from "../../policy/tuples.ts";

/** A cluster by seed: namespaces of workloads, policies per namespace, traffic that mostly follows who calls whom. */
export interface BenchWorld {
  readonly tuples: TupleSet;
  /** NetworkPolicies, one YAML document each. */
  readonly policies: readonly string[];
}

/** `pods` identities over pods/50 namespaces, `policies` NetworkPolicies, `tuples` unique tuples. Same seed, same world. */
export function benchWorld(pods: number, policies: number, tuples: number, seed = 1): BenchWorld {
  const random = generator(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const spaces = Math.max(1, Math.floor(pods / 50));
  const apps = ["web", "api", "db", "cache", "queue", "auth", "search", "mail", "jobs", "edge"];
  const tiers = ["front", "back", "data"];
  const namespaces = Array.from({ length: spaces }, (_, i) => ({
    name: `ns${i}`,
    labels: new Map([
      ["kubernetes.io/metadata.name", `ns${i}`],
      ["team", `team${i % 7}`],
      ["env", i % 3 === 0 ? "prod" : "dev"],
    ]),
  }));
  const identities: TupleIdentity[] = Array.from({ length: pods }, (_, i) => ({
    id: `id${i}`,
    namespace: `ns${i % spaces}`,
    workload: `w${i}`,
    labels: new Map([
      ["app", apps[Math.floor(i / spaces) % apps.length]!],
      ["tier", pick(tiers)],
      ["version", `v${Math.floor(random() * 3)}`],
    ]),
    addresses: [`10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`],
    ports: [{ name: "http", port: pick([80, 8080]), protocol: "TCP" }],
    serviceAccount: "default",
    entity: undefined,
  }));
  const out: string[] = [];
  for (let i = 0; i < policies; i++) {
    const namespace = `ns${i % spaces}`;
    const peer = pick([
      `namespaceSelector: {matchLabels: {team: team${Math.floor(random() * 7)}}}`,
      `podSelector: {matchLabels: {app: ${pick(apps)}}}`,
      `namespaceSelector: {matchLabels: {env: ${pick(["prod", "dev"])}}}\n      podSelector: {matchExpressions: [{key: app, operator: In, values: [${pick(apps)}, ${pick(apps)}]}]}`,
      `ipBlock: {cidr: 10.0.0.0/16, except: [10.0.${Math.floor(random() * 4)}.0/24]}`,
    ]);
    const direction = random() < 0.7 ? ["Ingress", "ingress", "from"] : ["Egress", "egress", "to"];
    out.push(`apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p${i}, namespace: ${namespace}}
spec:
  podSelector: {matchLabels: {app: ${pick(apps)}}}
  policyTypes: [${direction[0]}]
  ${direction[1]}:
  - ${direction[2]}:
    - ${peer}
    ports: [{port: ${pick(["80", "8080", "http", "5432"])}}, {port: 9000, endPort: 9100}]
  - ${direction[2]}:
    - podSelector: {matchLabels: {tier: ${pick(tiers)}}}
`);
  }
  const seen = new Set<string>();
  const list: Tuple[] = [];
  const from = Date.UTC(2026, 0, 1);
  while (list.length < tuples) {
    const source = Math.floor(random() * pods);
    const outside = random() < 0.1;
    const destination = outside ? Math.floor(random() * 2000) : Math.floor(random() * pods);
    const port = pick([80, 8080, 443, 5432, 6379, 9000, 9050, 53]);
    const key = `${source} ${outside} ${destination} ${port}`;
    if (seen.has(key) || (!outside && source === destination)) continue;
    seen.add(key);
    list.push({
      source: { kind: "identity", id: `id${source}` },
      destination: outside
        ? { kind: "address", address: `93.184.${destination >> 8}.${destination & 255}`, name: undefined }
        : { kind: "identity", id: `id${destination}` },
      protocol: port === 53 ? 17 : 6,
      port,
      connections: 1 + Math.floor(random() * 1000),
      firstSeen: from,
      lastSeen: from + 1000,
      recorded: undefined,
      l7: undefined,
      sample: undefined,
    });
  }
  const tupleSet = {
    from,
    to: from + 86_400_000,
    produced: 0,
    lost: 0,
    identities,
    namespaces,
    names: [],
    tuples: list,
  };
  return { tuples: tupleSet, policies: out };
}

/** xorshift32: enough for worlds, the same on every machine. */
function generator(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4294967296;
  };
}
