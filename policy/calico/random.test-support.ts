import fc from "fast-check";

/** Random worlds and documents over the whole grammar of Calico's kinds, as plain objects to be written as YAML. */
const NAMESPACES = ["shop", "pay", "infra"] as const;
const KEYS = ["app", "tier", "kind", "example.com/role"] as const;
const VALUES = ["web", "web-2", "db", "", "back"] as const;
const SCOPE_KEYS = ["env", "team", "trust"] as const;
const SCOPE_VALUES = ["prod", "dev", "high"] as const;
const V4_NETS = [
  "10.0.0.0/8",
  "10.0.1.0/24",
  "10.0.1.10/32",
  "10.0.1.8/31",
  "1.2.3.0/24",
  "1.2.3.4/32",
  "0.0.0.0/0",
  "172.16.0.0/12",
];
const V6_NETS = ["fd00::/8", "fd00:1::/64", "fd00:1::a/128", "2001:db8::/32", "::/0"];
export const V4_ADDRESSES = ["10.0.1.200", "1.2.3.4", "1.2.3.200", "8.8.8.8", "172.16.5.9"];
export const V6_ADDRESSES = ["fd00:1::ffff", "2001:db8::1", "2a00::1"];
const PORTS = [53, 80, 8080, 9090];
const PORT_NAMES = ["http", "dns", "metrics"] as const;
const TIERS = ["default", "app", "sec"] as const;

const some = <T>(list: readonly T[]) => fc.constantFrom(...list);
const quoted = some(VALUES).map((value) => (value.length % 2 === 0 ? `'${value}'` : `"${value}"`));

/** Selector text; `keys` and `values` of the labels it speaks of. */
function selectorText(keys: readonly string[], texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const list = fc.array(texts, { maxLength: 3 }).map((items) => `{${items.join(", ")}}`);
  const term = fc.oneof(
    fc
      .tuple(some(keys), some(["==", "!=", "contains", "starts with", "ends  with"]), texts)
      .map((parts) => parts.join(" ")),
    fc.tuple(some(keys), some(["in", "not in", "notin"]), list).map((parts) => parts.join(" ")),
    some(keys).map((key) => `has(${key})`),
    fc.constant("all()"),
  );
  const { or } = fc.letrec<{ or: string; and: string; not: string }>((tie) => ({
    not: fc.oneof(
      { depthSize: "small" },
      term,
      tie("not").map((text) => `!${text}`),
      tie("or").map((text) => `( ${text})`),
    ),
    and: fc.array(tie("not"), { minLength: 1, maxLength: 2 }).map((parts) => parts.join(" && ")),
    or: fc.array(tie("and"), { minLength: 1, maxLength: 2 }).map((parts) => parts.join("||")),
  }));
  return or.filter((text) => text.length <= 1024);
}

const CALICO_KEYS = [
  "projectcalico.org/namespace",
  "projectcalico.org/serviceaccount",
  "projectcalico.org/orchestrator",
  "pcns.env",
  "pcsa.trust",
];
export const memberSelector = fc.oneof(
  selectorText(KEYS, quoted),
  selectorText(
    [...KEYS, ...CALICO_KEYS],
    fc.oneof(
      quoted,
      some([...NAMESPACES, "runner", "k8s", "prod"]).map((text) => `'${text}'`),
    ),
  ),
  some(["", "  "]),
);
const scopeSelector = selectorText(
  [...SCOPE_KEYS, "projectcalico.org/name"],
  some([...SCOPE_VALUES, ...NAMESPACES, "runner"]).map((text) => `"${text}"`),
);

const labels = (keys: readonly string[], values: readonly string[]) =>
  fc.dictionary(some(keys), some(values), { maxKeys: 3 });
/** There once in `times`. */
const maybe = <T>(arbitrary: fc.Arbitrary<T>, times = 2) =>
  fc.oneof({ weight: times - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

const ports = fc.array(
  fc.oneof(some<number | string>(PORTS), some(["1:100", "8000:9000", "80"]), some<string>(PORT_NAMES)),
  { minLength: 1, maxLength: 3 },
);
const namesOnly = fc.array(some<string>(PORT_NAMES), { minLength: 1, maxLength: 2 });

function entity(nets: readonly string[], withPorts: "any" | "names" | "none", services: boolean): fc.Arbitrary<object> {
  const portList = withPorts === "any" ? ports : withPorts === "names" ? namesOnly : fc.constant(undefined);
  const plain = fc.record(
    {
      selector: memberSelector,
      notSelector: memberSelector,
      namespaceSelector: fc.oneof(scopeSelector, some(["all()", "global()", "!all()"])),
      serviceAccounts: fc.record(
        { names: fc.array(some(["runner", "default"]), { maxLength: 2 }), selector: scopeSelector },
        { requiredKeys: [] },
      ),
      nets: fc.array(some(nets), { minLength: 1, maxLength: 3 }),
      notNets: fc.array(some(nets.filter((net) => !net.endsWith("/0"))), { minLength: 1, maxLength: 2 }),
      ports: portList,
      notPorts: portList,
    },
    { requiredKeys: [] },
  );
  // few fields at a time, so that rules match now and then
  const sparse = fc
    .tuple(plain, fc.uint8Array({ minLength: 8, maxLength: 8 }))
    .map(([full, keep]) =>
      Object.fromEntries(Object.entries(full).filter(([, value], i) => value !== undefined && keep[i]! < 45)),
    );
  if (!services) return sparse;
  return fc.oneof(
    { weight: 6, arbitrary: sparse },
    { weight: 1, arbitrary: some(NAMESPACES).map((namespace) => ({ services: { name: "s", namespace } })) },
  );
}

function rule(direction: "ingress" | "egress", v6: boolean): fc.Arbitrary<object> {
  const nets = v6 ? V6_NETS : V4_NETS;
  const icmp = fc.record({ type: some([3, 8, 128]), code: some([0, 1]) }, { requiredKeys: ["type"] });
  const heads = fc.oneof(
    {
      weight: 4,
      arbitrary: some([
        [undefined, "none"],
        [undefined, "names"],
      ] as const),
    },
    {
      weight: 3,
      arbitrary: some([
        ["TCP", "any"],
        ["UDP", "any"],
        [132, "any"],
        [6, "any"],
      ] as const),
    },
    {
      weight: 1,
      arbitrary: some([
        [47, "none"],
        ["UDPLite", "none"],
        ["ICMP", "none"],
        ["ICMPv6", "none"],
        [1, "none"],
      ] as const),
    },
  );
  return heads.chain(([protocol, withPorts]) => {
    const named = protocol === "ICMP" || protocol === "ICMPv6";
    return fc
      .record({
        action: some(["Allow", "Deny", "Pass", "Log"]),
        protocol: fc.constant(protocol),
        notProtocol: maybe(some(["UDP", "SCTP", 47]), 6),
        icmp: named ? maybe(icmp) : fc.constant(undefined),
        notICMP: maybe(icmp, 6),
        ipVersion: named ? fc.constant(undefined) : maybe(fc.constant(v6 ? 6 : 4), 5),
        source: maybe(entity(nets, withPorts, direction === "ingress")),
        destination: maybe(entity(nets, withPorts, direction === "egress" && withPorts === "none")),
      })
      .map((full) => Object.fromEntries(Object.entries(full).filter(([, value]) => value !== undefined)));
  });
}

const policy = fc
  .record({
    kind: some(["NetworkPolicy", "GlobalNetworkPolicy", "StagedNetworkPolicy", "StagedGlobalNetworkPolicy"]),
    name: some(["a", "a-b", "b", "b.c", "c10", "c2"]),
    namespace: some(NAMESPACES),
    tier: maybe(some(TIERS)),
    order: maybe(some([10, 10.5, -1, 1000, 1e6])),
    selector: maybe(memberSelector, 3),
    namespaceSelector: maybe(scopeSelector, 4),
    serviceAccountSelector: maybe(scopeSelector, 4),
    ingress: fc.array(
      fc.boolean().chain((v6) => rule("ingress", v6)),
      { maxLength: 3 },
    ),
    egress: fc.array(
      fc.boolean().chain((v6) => rule("egress", v6)),
      { maxLength: 3 },
    ),
    types: maybe(some([["Ingress"], ["Egress"], ["Ingress", "Egress"]])),
    stagedAction: maybe(some(["Set", "Learn", "Ignore"])),
  })
  .map(({ kind, name, namespace, namespaceSelector, stagedAction, ...rest }) => ({
    apiVersion: "projectcalico.org/v3",
    kind,
    metadata: kind.includes("Global") ? { name } : { name, namespace },
    spec: defined({
      ...rest,
      ...(kind.includes("Global") ? { namespaceSelector } : {}),
      ...(kind.startsWith("Staged") ? { stagedAction } : {}),
    }),
  }));

const networkSet = fc
  .record({
    kind: some(["NetworkSet", "GlobalNetworkSet"]),
    name: some(["n0", "n1", "n2"]),
    namespace: some(NAMESPACES),
    labels: labels(KEYS, VALUES),
    nets: fc.array(some([...V4_NETS, ...V6_NETS, "10.0.1.77/24", "8.8.8.8"]), { maxLength: 3 }),
  })
  .map(({ kind, name, namespace, labels: own, nets }) => ({
    apiVersion: "crd.projectcalico.org/v1",
    kind,
    metadata: kind === "NetworkSet" ? { name, namespace, labels: own } : { name, labels: own },
    spec: { nets },
  }));

const tier = fc
  .tuple(
    some(["app", "sec"]),
    fc.record({ order: some([100, 2e6, -5]), defaultAction: some(["Pass", "Deny"]) }, { requiredKeys: [] }),
  )
  .map(([name, spec]) => ({ apiVersion: "projectcalico.org/v3", kind: "Tier", metadata: { name }, spec }));

const slice = fc
  .record({
    namespace: some(NAMESPACES),
    addresses: fc.array(some(["10.0.1.10", "10.0.1.11", "1.2.3.4", "fd00:1::a"]), { maxLength: 2 }),
    port: some(PORTS),
    protocol: some(["TCP", "UDP"]),
  })
  .map(({ namespace, addresses, port, protocol }) => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: "s-1", namespace, labels: { "kubernetes.io/service-name": "s" } },
    addressType: "IPv4",
    endpoints: addresses.length === 0 ? [] : [{ addresses }],
    ports: [{ port, protocol }],
  }));

/** metav1.LabelSelector. */
const labelSelector = (keys: readonly string[], values: readonly string[]) =>
  fc.oneof(
    { weight: 1, arbitrary: fc.constant({}) },
    { weight: 2, arbitrary: labels(keys, values).map((matchLabels) => ({ matchLabels })) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(
          some(keys),
          some(["In", "NotIn", "Exists", "DoesNotExist"]),
          fc.uniqueArray(some(values), { minLength: 1, maxLength: 2 }),
        )
        .map(([key, operator, list]) => ({
          matchExpressions: [operator.endsWith("In") ? { key, operator, values: list } : { key, operator }],
        })),
    },
  );
const podLabels = labelSelector(KEYS, ["web", "web-2", "db", "back"]);
const namespaceLabels = labelSelector(SCOPE_KEYS, SCOPE_VALUES);

const kubernetesPorts = fc.array(
  fc.oneof(
    fc.record(
      { port: some<number | string>([...PORTS, ...PORT_NAMES]), protocol: some(["TCP", "UDP", "SCTP"]) },
      { requiredKeys: [] },
    ),
    fc.constant({ port: 1, endPort: 100, protocol: "TCP" }),
  ),
  { maxLength: 2 },
);
const kubernetesPeer = fc.oneof(
  fc.record({ podSelector: podLabels, namespaceSelector: namespaceLabels }),
  fc.record({ podSelector: podLabels }),
  fc.record({ namespaceSelector: namespaceLabels }),
  fc.constantFrom(
    { ipBlock: { cidr: "10.0.0.0/8", except: ["10.0.1.10/32"] } },
    { ipBlock: { cidr: "1.2.3.0/24" } },
    { ipBlock: { cidr: "fd00::/8" } },
  ),
);
const kubernetesRules = (peers: "from" | "to") =>
  fc.array(
    fc
      .tuple(fc.array(kubernetesPeer, { maxLength: 2 }), kubernetesPorts)
      .map(([list, portList]) => ({ [peers]: list, ports: portList })),
    { maxLength: 2 },
  );

const kubernetesPolicy = fc
  .record({
    staged: fc.boolean(),
    name: some(["a", "b", "np"]),
    namespace: some(NAMESPACES),
    podSelector: podLabels,
    policyTypes: maybe(some([["Ingress"], ["Egress"], ["Ingress", "Egress"]])),
    ingress: kubernetesRules("from"),
    egress: kubernetesRules("to"),
  })
  .map(({ staged, name, namespace, ...spec }) => ({
    apiVersion: staged ? "projectcalico.org/v3" : "networking.k8s.io/v1",
    kind: staged ? "StagedKubernetesNetworkPolicy" : "NetworkPolicy",
    metadata: { name: staged ? name : `k-${name}`, namespace },
    spec: defined(spec),
  }));

const clusterPeer = fc.oneof(
  fc.record({ namespaces: namespaceLabels }),
  fc.record({ namespaceSelector: namespaceLabels, podSelector: podLabels }).map((pods) => ({ pods })),
);
const clusterPorts = fc.array(
  some<object>([
    { tcp: { destinationPort: { number: 80 } } },
    { tcp: {} },
    { udp: { destinationPort: { range: { start: 50, end: 60 } } } },
    { destinationNamedPort: "http" },
  ]),
  { minLength: 1, maxLength: 2 },
);
const clusterRules = (direction: "from" | "to") => {
  const peer =
    direction === "from"
      ? clusterPeer
      : fc.oneof(
          clusterPeer,
          some(V4_NETS).map((net) => ({ networks: [net] })),
          fc.constant({ domainNames: ["example.com"] }),
        );
  return fc.array(
    fc
      .tuple(some(["Accept", "Deny", "Pass"]), fc.array(peer, { minLength: 1, maxLength: 2 }), maybe(clusterPorts))
      .map(([action, peers, protocols]) =>
        // names are for Accept alone
        defined({
          action: JSON.stringify(peers).includes("domainNames") ? "Accept" : action,
          [direction]: peers,
          protocols,
        }),
      ),
    { maxLength: 2 },
  );
};
const clusterPolicy = fc
  .record({
    name: some(["a", "b", "c"]),
    tier: some(["Admin", "Baseline"]),
    priority: some([1, 1, 5]),
    subject: clusterPeer,
    ingress: clusterRules("from"),
    egress: clusterRules("to"),
  })
  .map(({ name, ...spec }) => ({
    apiVersion: "policy.networking.k8s.io/v1alpha2",
    kind: "ClusterNetworkPolicy",
    metadata: { name },
    spec,
  }));

/** Documents of which no two have one kind, namespace and name; every tier that is named exists. */
export const documents = fc
  .tuple(
    fc.array(policy, { minLength: 3, maxLength: 7 }),
    fc.array(fc.oneof(kubernetesPolicy, clusterPolicy), { maxLength: 3 }),
    fc.array(networkSet, { maxLength: 3 }),
    fc.array(tier, { maxLength: 2 }),
    fc.array(slice, { maxLength: 2 }),
  )
  .map(([policies, kubernetes, sets, tiers, slices]) => {
    const plain = TIERS.slice(1).map((name) => ({
      apiVersion: "projectcalico.org/v3",
      kind: "Tier",
      metadata: { name },
      spec: {},
    }));
    const all: { kind: string; metadata: { name: string; namespace?: string } }[] = [
      ...plain,
      ...tiers,
      ...policies,
      ...kubernetes,
      ...sets,
      ...slices,
    ];
    return [
      ...new Map(
        all.map((document) => [
          `${document.kind} ${document.metadata.namespace ?? ""} ${document.metadata.name}`,
          document,
        ]),
      ).values(),
    ];
  });

const podPorts = fc.uniqueArray(
  fc.record({ name: some(PORT_NAMES), port: some(PORTS), protocol: some(["TCP", "UDP", "SCTP"]) }),
  {
    selector: ({ name, protocol }) => `${name} ${protocol}`,
    maxLength: 3,
  },
);

export interface RandomWorld {
  readonly staged: "enforced" | "ignored";
  readonly namespaceLabels: readonly Record<string, string>[];
  readonly accountLabels: readonly Record<string, string>[];
  readonly pods: readonly {
    readonly namespace: string;
    readonly labels: Record<string, string>;
    readonly account: string;
    readonly ports: readonly { name: string; port: number; protocol: string }[];
    readonly families: "4" | "6" | "46";
  }[];
}

export const NAMESPACE_NAMES: readonly string[] = NAMESPACES;
export const world: fc.Arbitrary<RandomWorld> = fc.record({
  staged: some(["enforced", "ignored"] as const),
  namespaceLabels: fc.array(labels(SCOPE_KEYS, SCOPE_VALUES), { minLength: 3, maxLength: 3 }),
  accountLabels: fc.array(labels(SCOPE_KEYS, SCOPE_VALUES), { minLength: 3, maxLength: 3 }),
  pods: fc.array(
    fc.record({
      namespace: some(NAMESPACES),
      labels: labels(KEYS, VALUES),
      account: some(["runner", "default"]),
      ports: podPorts,
      families: some(["46", "46", "4", "6"] as const),
    }),
    { minLength: 2, maxLength: 5 },
  ),
});

export const protocolAndPort = fc.oneof(
  fc.record({
    protocol: some([6, 17, 132, 136]),
    port: some(PORTS),
    sourcePort: some([40000, 53, 80]),
    icmpCode: fc.constant(0),
  }),
  fc.record({
    protocol: some([1, 58]),
    port: some([3, 8, 128]),
    sourcePort: fc.constant(40000),
    icmpCode: some([0, 1]),
  }),
  fc.record({
    protocol: fc.constant(47),
    port: fc.constant(0),
    sourcePort: fc.constant(40000),
    icmpCode: fc.constant(0),
  }),
);

function defined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
