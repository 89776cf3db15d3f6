import { cidrContains, isV4, parseAddress, type AddressBytes } from "../../model/address.ts";
import { PROTOCOL_NUMBERS } from "../engine.ts";
import type { ClusterPolicySpec, ClusterPort, ClusterRule } from "../parse/cluster-policy.ts";
import type { PolicyDocument } from "../parse/documents.ts";
import { selectorMatches } from "../parse/label-selector.ts";
import type { NetworkPolicyPort, NetworkPolicySpec } from "../parse/network-policy.ts";
import type { Direction, RuleAction } from "../verdict.ts";
import type { World, WorldEndpoint } from "../world.ts";
import type { StagedKubernetesSpec } from "./parse-staged-kubernetes.ts";
import { BLANK, matchesSelector, type Selector } from "./selector.ts";
import type {
  CalicoEntity,
  CalicoPolicySpec,
  CalicoRule,
  EndpointSliceSpec,
  IcmpMatch,
  NetworkSetSpec,
  PortMatch,
  TierSpec,
} from "./types.ts";

/**
 * The slow, obvious judge: Calico's specification (docs/policy-calico.md) read aloud, one packet at a time, for every kind that Calico reads. No
 * bitmap, no class, no selector rewritten: namespaces' and accounts' labels are looked up where they stand.
 */
export interface Packet {
  readonly source: AddressBytes;
  readonly destination: AddressBytes;
  readonly protocol: number;
  readonly sourcePort: number;
  readonly port: number;
  readonly icmpCode: number;
}

interface Member {
  readonly pod: WorldEndpoint | undefined;
  /** "" for a GlobalNetworkSet. */
  readonly namespace: string;
  readonly labels: ReadonlyMap<string, string>;
}

/** A policy of any kind, as the walk sees it. */
/** Blanks alone as one of several selectors: Calico's joined text has empty parentheses, and no policy comes of it. */
function isBlankBeside(spec: CalicoPolicySpec, namespace: string): boolean {
  const scope = namespace === "" ? [] : [namespace];
  const beside = [...scope, spec.namespaceSelector, spec.serviceAccountSelector];
  const written = (parts: readonly unknown[]) => parts.some((part) => part !== undefined);
  if (spec.selector === BLANK && written(beside)) return true;
  const entities = [...spec.ingress, ...spec.egress].flatMap(({ source, destination }) => [source, destination]);
  return entities.some(({ selector, notSelector, namespaceSelector, serviceAccounts: accounts }) => {
    const others = [...scope, namespaceSelector, accounts?.selector, accounts?.names[0]];
    return (selector === BLANK && written(others)) || (notSelector === BLANK && written([...others, selector]));
  });
}

interface TwinPolicy {
  readonly document: PolicyDocument;
  readonly tier: string;
  readonly order: number;
  readonly tieKind: string;
  readonly governs: (direction: Direction) => boolean;
  readonly selects: (pod: WorldEndpoint) => boolean;
  readonly rules: (direction: Direction) => readonly TwinRule[];
}
interface TwinRule {
  readonly action: RuleAction;
  /** `#0`, or nothing in the Kubernetes kinds. */
  readonly label: string;
  readonly matches: (packet: Packet) => boolean;
}

export class Twin {
  readonly #world: World;
  readonly #documents: readonly PolicyDocument[];

  constructor(world: World, documents: readonly PolicyDocument[]) {
    this.#world = world;
    this.#documents = documents;
  }

  /** The steps of a direction, the last one deciding: `GlobalNetworkPolicy/a#0 allow`, `tier/default deny`. */
  judge(subject: WorldEndpoint, direction: Direction, packet: Packet): string[] {
    const path: string[] = [];
    tiers: for (const [name, tier] of this.#tiers()) {
      const selecting = this.#policies(name).filter((policy) => policy.governs(direction) && policy.selects(subject));
      if (selecting.length === 0) continue;
      const enforced = selecting.filter(
        ({ document }) => this.#world.config.staged === "enforced" || !document.kind.startsWith("Staged"),
      );
      for (const { document, rules } of enforced)
        for (const { action, label, matches } of rules(direction)) {
          if (action === "log" || !matches(packet)) continue;
          const place = document.namespace === "" ? document.name : `${document.namespace}/${document.name}`;
          path.push(`${document.kind}/${place}${label} ${action}`);
          if (action === "pass") continue tiers;
          return path;
        }
      const action = enforced.length === 0 ? "pass" : tier.defaultAction;
      path.push(`tier/${name} ${action}`);
      if (action === "deny") return path;
    }
    path.push(`builtin/profile/kns.${subject.namespace} allow`);
    return path;
  }

  #tiers(): [string, { order: number; defaultAction: "deny" | "pass" }][] {
    const tiers = new Map<string, { order: number; defaultAction: "deny" | "pass" }>([
      ["kube-admin", { order: 1000, defaultAction: "pass" }],
      ["default", { order: 1000000, defaultAction: "deny" }],
      ["kube-baseline", { order: 10000000, defaultAction: "pass" }],
    ]);
    for (const { kind, name, spec } of this.#documents) if (kind === "Tier") tiers.set(name, spec as TierSpec);
    return [...tiers].sort(([a, x], [b, y]) => x.order - y.order || (a < b ? -1 : 1));
  }

  #policies(tier: string): TwinPolicy[] {
    const all = this.#documents.flatMap((document) => this.#read(document) ?? []);
    const tie = ({ document, tieKind }: TwinPolicy) => [document.name, document.namespace, tieKind].join("/");
    return all
      .filter((policy) => policy.tier === tier)
      .sort((a, b) => (a.order === b.order ? (tie(a) < tie(b) ? -1 : 1) : a.order < b.order ? -1 : 1));
  }

  /** A document as a policy, or undefined when it is none or staged for deletion. */
  #read(document: PolicyDocument): TwinPolicy | undefined {
    const { group, kind, spec, namespace } = document;
    if (kind === "ClusterNetworkPolicy") return this.#cluster(document, spec as ClusterPolicySpec);
    if (kind === "StagedKubernetesNetworkPolicy")
      return this.#kubernetes(document, (spec as StagedKubernetesSpec).policy, kind);
    if (group === "networking.k8s.io")
      return this.#kubernetes(document, spec as NetworkPolicySpec, "KubernetesNetworkPolicy");
    if (!kind.endsWith("NetworkPolicy")) return undefined;
    const calico = spec as CalicoPolicySpec;
    if (calico.stagedAction === "Delete" || isBlankBeside(calico, namespace)) return undefined;
    return {
      document,
      tier: calico.tier,
      order: calico.order ?? Infinity,
      tieKind: kind,
      governs: (direction) => (direction === "ingress" ? calico.governsIngress : calico.governsEgress),
      selects: (pod) => this.#selects(document, pod),
      rules: (direction) =>
        calico[direction].map((rule) => ({
          action: rule.action,
          label: `#${rule.index}`,
          matches: (packet) => this.#matches(rule, packet, namespace),
        })),
    };
  }

  #kubernetes(document: PolicyDocument, spec: NetworkPolicySpec, tieKind: string): TwinPolicy {
    const staged = document.kind.startsWith("Staged");
    const types = spec.policyTypes ?? (spec.egress.length > 0 && !staged ? ["Ingress", "Egress"] : ["Ingress"]);
    return {
      document,
      tier: "default",
      order: 1000,
      tieKind,
      governs: (direction) => types.includes(direction === "ingress" ? "Ingress" : "Egress"),
      selects: (pod) => pod.namespace === document.namespace && selectorMatches(spec.podSelector, pod.labels),
      rules: (direction) =>
        spec[direction].map(({ peers, ports }) => ({
          action: "allow",
          label: "",
          matches: (packet) => {
            const pod = this.#podAt(direction === "ingress" ? packet.source : packet.destination);
            const address = direction === "ingress" ? packet.source : packet.destination;
            const isPeer = peers.some((peer) => {
              if (peer.kind === "ip-block")
                return cidrContains(peer.cidr, address) && !peer.except.some((out) => cidrContains(out, address));
              if (pod === undefined) return false;
              const inNamespace =
                peer.namespaces === undefined
                  ? pod.namespace === document.namespace
                  : selectorMatches(peer.namespaces, this.#labelsOfNamespace(pod.namespace));
              return inNamespace && (peer.pods === undefined || selectorMatches(peer.pods, pod.labels));
            });
            return (
              (peers.length === 0 || isPeer) &&
              (ports.length === 0 || ports.some((port) => this.#isKubernetesPort(port, packet)))
            );
          },
        })),
    };
  }

  #cluster(document: PolicyDocument, spec: ClusterPolicySpec): TwinPolicy {
    const unknown = (rule: ClusterRule) => rule.peers.some(({ kind }) => !["pods", "networks"].includes(kind));
    const rulesOf = (direction: Direction) =>
      spec[direction].filter((rule) => !(unknown(rule) && rule.action === "allow"));
    return {
      document,
      tier: spec.tier === "Admin" ? "kube-admin" : "kube-baseline",
      order: spec.priority,
      tieKind: "KubernetesClusterNetworkPolicy",
      governs: (direction) => rulesOf(direction).length > 0,
      selects: (pod) =>
        selectorMatches(spec.subject.namespaces, this.#labelsOfNamespace(pod.namespace)) &&
        (spec.subject.pods === undefined || selectorMatches(spec.subject.pods, pod.labels)),
      rules: (direction) =>
        rulesOf(direction).map((rule) => ({
          action: unknown(rule) ? "deny" : rule.action,
          label: "",
          matches: (packet) => unknown(rule) || this.#clusterMatches(rule, packet, direction),
        })),
    };
  }

  #clusterMatches({ peers, ports }: ClusterRule, packet: Packet, direction: Direction): boolean {
    const address = direction === "ingress" ? packet.source : packet.destination;
    const isPeer = peers.some((peer) => {
      if (peer.kind === "networks") return peer.cidrs.some((cidr) => cidrContains(cidr, address));
      if (peer.kind !== "pods") return false;
      // without a selector of pods, sets are members too; one without a namespace has none of a namespace's labels
      return this.#membersAt(address).some((member) => {
        if (peer.pods !== undefined && member.pod === undefined) return false;
        const everyNamespace = peer.namespaces.requirements.length === 0;
        if (
          everyNamespace
            ? member.namespace === ""
            : !selectorMatches(peer.namespaces, this.#labelsOfNamespace(member.namespace))
        )
          return false;
        return peer.pods === undefined || selectorMatches(peer.pods, member.labels);
      });
    });
    return isPeer && (ports === undefined || ports.some((port) => this.#isKubernetesPort(port, packet)));
  }

  #isKubernetesPort({ protocol, port, endPort }: NetworkPolicyPort | ClusterPort, packet: Packet): boolean {
    if (protocol !== undefined && PROTOCOL_NUMBERS.get(protocol) !== packet.protocol) return false;
    if (typeof port === "number") return packet.port >= port && packet.port <= (endPort ?? port);
    if (port === undefined) return true;
    const named = this.#podAt(packet.destination)?.ports ?? [];
    return named.some(
      (known) =>
        known.name === port && known.port === packet.port && PROTOCOL_NUMBERS.get(known.protocol) === packet.protocol,
    );
  }

  #podAt(address: AddressBytes): WorldEndpoint | undefined {
    return this.#membersAt(address).find((member) => member.pod !== undefined)?.pod;
  }

  #labelsOfNamespace(namespace: string): ReadonlyMap<string, string> {
    return this.#world.namespaces.find(({ name }) => name === namespace)?.labels ?? new Map();
  }

  #selects(document: PolicyDocument, pod: WorldEndpoint): boolean {
    const { selector, namespaceSelector, serviceAccountSelector } = document.spec as CalicoPolicySpec;
    const member = { pod, namespace: pod.namespace, labels: pod.labels };
    if (document.namespace !== "" && document.namespace !== pod.namespace) return false;
    if (namespaceSelector !== undefined && !this.#inNamespaces(namespaceSelector, member)) return false;
    if (serviceAccountSelector !== undefined && !this.#hasAccount(serviceAccountSelector, member)) return false;
    return selector === undefined || this.#hasLabels(selector, member);
  }

  #matches(rule: CalicoRule, packet: Packet, namespace: string): boolean {
    const { protocol } = packet;
    const version = isV4(packet.source) ? 4 : 6;
    if (rule.ipVersion !== 0 && rule.ipVersion !== version) return false;
    if (rule.protocol !== undefined && rule.protocol !== protocol) return false;
    if (rule.notProtocol !== undefined && rule.notProtocol === protocol) return false;
    if (rule.icmp?.type !== undefined && !isIcmp(rule.icmp, packet)) return false;
    if (rule.notIcmp?.type !== undefined && isIcmp(rule.notIcmp, asIcmp(packet))) return false;
    return (
      this.#entityMatches(rule.source, packet.source, protocol, packet.sourcePort, namespace, false) &&
      this.#entityMatches(rule.destination, packet.destination, protocol, packet.port, namespace, true)
    );
  }

  #entityMatches(
    entity: CalicoEntity,
    address: AddressBytes,
    protocol: number,
    port: number,
    namespace: string,
    isDestination: boolean,
  ): boolean {
    const { nets, notNets, ports, notPorts, services } = entity;
    const family = isV4(address);
    if (nets.length > 0 && !nets.some((net) => cidrContains(net, address))) return false;
    if (notNets.length > 0 && notNets[0]!.v4 !== family) return false;
    if (notNets.some((net) => cidrContains(net, address))) return false;
    if (services !== undefined && !this.#inService(services, address, protocol, port, isDestination)) return false;
    const members = this.#membersAt(address);
    const asks = this.#asksMembers(entity);
    const fits = (member: Member) => this.#memberMatches(entity, member, namespace);
    if (asks && !members.some(fits)) return false;
    if (!asks && entity.notSelector !== undefined) {
      const own = namespace === "" ? undefined : namespace;
      if (
        own !== undefined &&
        !members.some((member) => member.namespace === own && !this.#hasLabels(entity.notSelector!, member))
      )
        return false;
      if (own === undefined && members.some((member) => this.#hasLabels(entity.notSelector!, member))) return false;
    }
    const pod = members.find((member) => member.pod !== undefined);
    const named = pod !== undefined && (!this.#scopes(entity, namespace) || fits(pod)) ? pod.pod!.ports : [];
    if (ports !== undefined && !isPort(ports, protocol, port, named)) return false;
    return notPorts === undefined || !isPort(notPorts, protocol, port, named);
  }

  /** Is there a selector of any kind but notSelector? */
  #asksMembers({ selector, namespaceSelector, serviceAccounts }: CalicoEntity): boolean {
    const accounts =
      serviceAccounts !== undefined && (serviceAccounts.names.length > 0 || serviceAccounts.selector !== undefined);
    return selector !== undefined || namespaceSelector !== undefined || accounts;
  }

  #scopes(entity: CalicoEntity, namespace: string): boolean {
    return this.#asksMembers(entity) || (namespace !== "" && entity.notSelector !== undefined);
  }

  #memberMatches(entity: CalicoEntity, member: Member, namespace: string): boolean {
    const { selector, notSelector, namespaceSelector, serviceAccounts } = entity;
    if (namespaceSelector !== undefined) {
      if (!this.#inNamespaces(namespaceSelector, member)) return false;
    } else if (namespace !== "" && member.namespace !== namespace) return false;
    if (selector !== undefined && !this.#hasLabels(selector, member)) return false;
    if (notSelector !== undefined && this.#hasLabels(notSelector, member)) return false;
    if (serviceAccounts === undefined) return true;
    const { names, selector: accounts } = serviceAccounts;
    if (names.length > 0 && !(member.pod !== undefined && names.includes(member.pod.serviceAccount))) return false;
    return accounts === undefined || this.#hasAccount(accounts, member);
  }

  #membersAt(address: AddressBytes): Member[] {
    const members: Member[] = [];
    for (const pod of this.#world.endpoints)
      if (pod.addresses.some((text) => parseAddress(text)!.join() === address.join()))
        members.push({ pod, namespace: pod.namespace, labels: pod.labels });
    for (const { kind, namespace, labels, spec } of this.#documents)
      if (kind.endsWith("NetworkSet") && (spec as NetworkSetSpec).nets.some((net) => cidrContains(net, address)))
        members.push({ pod: undefined, namespace, labels });
    return members;
  }

  #inNamespaces(selector: Selector, member: Member): boolean {
    if (selector.kind === "global") return member.namespace === "";
    if (selector.kind === "all") return member.namespace !== "";
    if (selector.kind === "not") return !this.#inNamespaces(selector.operand, member);
    if (selector.kind === "and") return selector.operands.every((part) => this.#inNamespaces(part, member));
    if (selector.kind === "or") return selector.operands.some((part) => this.#inNamespaces(part, member));
    return matchesSelector(selector, (key) => this.#namespaceLabel(member.namespace, key));
  }

  #namespaceLabel(namespace: string, key: string): string | undefined {
    if (namespace === "") return undefined;
    if (key === "projectcalico.org/name") return namespace;
    return this.#world.namespaces.find(({ name }) => name === namespace)?.labels.get(key);
  }

  #hasAccount(selector: Selector, { pod }: Member): boolean {
    return matchesSelector(selector, (key) => this.#accountLabel(pod, key));
  }

  #accountLabel(pod: WorldEndpoint | undefined, key: string): string | undefined {
    if (pod === undefined) return undefined;
    if (key === "projectcalico.org/name") return pod.serviceAccount;
    const account = this.#world.serviceAccounts.find(
      ({ namespace, name }) => namespace === pod.namespace && name === pod.serviceAccount,
    );
    return account?.labels.get(key);
  }

  #hasLabels(selector: Selector, member: Member): boolean {
    return matchesSelector(selector, (key) => {
      if (key === "projectcalico.org/namespace") return member.namespace === "" ? undefined : member.namespace;
      if (key === "projectcalico.org/orchestrator" && member.pod !== undefined) return "k8s";
      if (key === "projectcalico.org/serviceaccount" && member.pod !== undefined) return member.pod.serviceAccount;
      if (member.labels.has(key)) return member.labels.get(key);
      if (key.startsWith("pcns.")) return this.#namespaceLabel(member.namespace, key.slice(5));
      return key.startsWith("pcsa.") ? this.#accountLabel(member.pod, key.slice(5)) : undefined;
    });
  }

  #inService(
    service: { namespace: string; name: string },
    address: AddressBytes,
    protocol: number,
    port: number,
    withPorts: boolean,
  ): boolean {
    return this.#documents.some(({ kind, namespace, spec }) => {
      if (kind !== "EndpointSlice" || namespace !== service.namespace) return false;
      const slice = spec as EndpointSliceSpec;
      if (
        slice.service !== service.name ||
        !slice.addresses.some((text) => parseAddress(text)!.join() === address.join())
      )
        return false;
      return !withPorts || slice.ports.some((known) => known.port === port && known.protocol === protocol);
    });
  }
}

/** What a program reads that takes the packet for ICMP: TCP's and UDP's destination port stands where ICMP has type and code. */
function asIcmp(packet: Packet): Packet {
  const { protocol, port } = packet;
  return protocol === 1 || protocol === 58
    ? packet
    : { ...packet, protocol: 1, port: port % 256, icmpCode: Math.floor(port / 256) };
}

function isIcmp(wanted: IcmpMatch, { protocol, port, icmpCode }: Packet): boolean {
  return (
    (protocol === 1 || protocol === 58) &&
    port === wanted.type &&
    (wanted.code === undefined || icmpCode === wanted.code)
  );
}

function isPort(match: PortMatch, protocol: number, port: number, named: WorldEndpoint["ports"]): boolean {
  if (![6, 17, 132].includes(protocol)) return false;
  if (match.ranges.some(({ first, last }) => port >= first && port <= last)) return true;
  return named.some(
    (known) =>
      match.names.includes(known.name) && known.port === port && PROTOCOL_NUMBERS.get(known.protocol) === protocol,
  );
}
