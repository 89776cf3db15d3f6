import { stringify } from "yaml";
import { between, pick, randomOf, type Random } from "../../scripts/demo/random.ts";
import { NAMESPACES, PORTS } from "./people.ts";

/** Blocks with what may be cut out of them: around pods, around the outside, everything, nothing that exists. */
const BLOCKS: readonly { readonly cidr: string; readonly cuts: readonly string[] }[] = [
  { cidr: "0.0.0.0/0", cuts: ["10.77.0.0/16", "10.77.1.0/24", "192.0.2.7/32", "198.51.100.8/30"] },
  { cidr: "::/0", cuts: ["fd77::/16", "fd77:1::/64", "2001:db8:2::7/128"] },
  { cidr: "10.77.0.0/16", cuts: ["10.77.2.0/24", "10.77.1.200/32", "10.77.1.0/27"] },
  { cidr: "10.77.1.0/25", cuts: ["10.77.1.16/28", "10.77.1.10/32"] },
  { cidr: "fd77:1::/64", cuts: ["fd77:1::c8/128", "fd77:1::10/124"] },
  { cidr: "fd77::/16", cuts: ["fd77:2::/64"] },
  { cidr: "192.0.2.0/24", cuts: ["192.0.2.0/29", "192.0.2.128/25"] },
  { cidr: "198.51.100.9/32", cuts: [] },
  { cidr: "2001:db8::/32", cuts: ["2001:db8:51::/48"] },
  { cidr: "172.16.0.0/12", cuts: ["172.20.0.0/16"] },
];

/** Three to seven NetworkPolicies as YAML; the same seed gives the same ones. */
export function randomPolicies(seed: number): string {
  const random = randomOf(seed, "policies");
  const chance = (share: number) => random() < share;
  const some = <T>(least: number, most: number, make: () => T): T[] =>
    Array.from({ length: between(random, least, most) }, make);
  const selector = (of: "pods" | "namespaces") => randomSelector(random, of);

  const peer = () => {
    if (chance(0.35)) {
      const { cidr, cuts } = pick(random, BLOCKS);
      const except = cuts.filter(() => chance(0.4));
      return { ipBlock: { cidr, ...(except.length > 0 ? { except } : chance(0.1) ? { except: [] } : {}) } };
    }
    const kind = between(random, 0, 2);
    return {
      ...(kind !== 0 ? { namespaceSelector: selector("namespaces") } : {}),
      ...(kind !== 1 ? { podSelector: selector("pods") } : {}),
    };
  };
  const port = () => {
    const protocol = pick(random, [
      {},
      { protocol: "TCP" },
      { protocol: "UDP" },
      { protocol: "TCP" },
      { protocol: "SCTP" },
    ]);
    if (chance(0.2)) return protocol;
    if (chance(0.35))
      return { ...protocol, port: pick(random, ["http", "http", "http", "sql", "sql", "tls", "ask", "nowhere"]) };
    if (chance(0.4)) {
      const from = pick(random, [1, 53, 79, 80, 1024, 8080, 8443]);
      return {
        ...protocol,
        port: from,
        endPort: pick(
          random,
          [from, 8079, 8080, 9089, 65535].filter((to) => to >= from),
        ),
      };
    }
    return { ...protocol, port: pick(random, PORTS) };
  };
  const rule = (field: "from" | "to") => ({
    ...(chance(0.2) ? (chance(0.3) ? { [field]: [] } : {}) : { [field]: some(1, 3, peer) }),
    ...(chance(0.35) ? (chance(0.2) ? { ports: [] } : {}) : { ports: some(1, 3, port) }),
  });
  const policies = some(3, 7, () => {
    const types = pick(random, [undefined, undefined, [], ["Ingress"], ["Egress"], ["Ingress", "Egress"]]);
    return {
      podSelector: chance(0.25) ? {} : selector("pods"),
      ...(types === undefined ? {} : { policyTypes: types }),
      ...(chance(0.2) ? {} : { ingress: some(0, 3, () => rule("from")) }),
      ...(chance(0.35) ? {} : { egress: some(0, 3, () => rule("to")) }),
    };
  });
  return policies
    .map((spec, i) =>
      stringify({
        apiVersion: "networking.k8s.io/v1",
        kind: "NetworkPolicy",
        metadata: { name: `p${i}`, namespace: pick(random, ["alpha", "alpha", "beta", "gamma"]) },
        spec,
      }),
    )
    .join("---\n");
}

function randomSelector(random: Random, of: "pods" | "namespaces"): object {
  const choices: Record<string, readonly string[]> =
    of === "pods"
      ? { app: ["web", "api", "db", "cache"], tier: ["front", "back", ""] }
      : {
          team: ["red", "blue"],
          env: ["prod", "test"],
          "kubernetes.io/metadata.name": Object.keys(NAMESPACES),
        };
  const label = () => {
    const key = pick(random, Object.keys(choices));
    return [key, pick(random, choices[key]!)] as const;
  };
  const draw = random();
  if (draw < 0.12) return {};
  if (draw < 0.55) return { matchLabels: Object.fromEntries([label()]) };
  const expressions = Array.from({ length: between(random, 1, 2) }, () => {
    const [key, value] = label();
    const operator = pick(random, ["In", "NotIn", "Exists", "DoesNotExist"]);
    const values = [...new Set([value, label()[1]])];
    return { key, operator, ...(operator.endsWith("In") ? { values } : {}) };
  });
  return { ...(draw < 0.65 ? { matchLabels: Object.fromEntries([label()]) } : {}), matchExpressions: expressions };
}
