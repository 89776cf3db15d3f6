import type { Cidr } from "../../model/address.ts";
import { Bitmap } from "../compile/bitmap.ts";
import { PROTOCOL_NUMBERS, type CompilePolicies } from "../engine.ts";
import type { ClusterPolicySpec } from "../parse/cluster-policy.ts";
import type { PolicyDocument } from "../parse/documents.ts";
import type { NetworkPolicySpec } from "../parse/network-policy.ts";
import type { PolicyProblem } from "../parse/problem.ts";
import type { Direction, PolicyRef, RuleRef } from "../verdict.ts";
import type { WorldConfig } from "../world.ts";
import type { WorldIndex } from "../world-index.ts";
import {
  failsClosed,
  fromClusterPolicy,
  fromNetworkPolicy,
  networkPolicyTypes,
  stagedNetworkPolicyTypes,
} from "./from-kubernetes.ts";
import { addressBytes } from "./members.ts";
import { orderTiers, type OrderedPolicy } from "./order.ts";
import type { StagedKubernetesSpec } from "./parse-staged-kubernetes.ts";
import { isUnreadable, subjectSelector } from "./peer-selector.ts";
import type { CompiledPolicy, CompiledTier } from "./chains.ts";
import { CalicoPolicySet, type CalicoParts } from "./policy-set.ts";
import { prepareWorld } from "./prepared-world.ts";
import { hostBlock, type CompiledRule, type RuleCompiler } from "./rule-table.ts";
import { calicoSpec, type CalicoPolicySpec, type CalicoRule, type EndpointSliceSpec, type TierSpec } from "./types.ts";

/**
 * Policies as Calico 3.32.1 reads them, made ready against one world. Of two documents of one kind, namespace and name the later
 * one counts, as in a cluster. Memory: a bit a class (two a pod, one a block of addresses) for each different peer of a rule.
 */
export const compileCalico: CompilePolicies = (documents, index) =>
  new CalicoPolicySet(index, () => compileParts(documents, index));

function compileParts(documents: readonly PolicyDocument[], index: WorldIndex): CalicoParts {
  const problems: PolicyProblem[] = [];
  const sorted = sortDocuments(lastOfEach(documents, problems), index.world.config, problems);
  const slices = serviceSlices(sorted.slices, index);
  const prepared = prepareWorld(index, sorted.sets, slices, [...blocksOf(sorted, slices)]);
  const { members, compiler } = prepared;
  const policies: PolicyRef[] = [];
  const rules: RuleRef[] = [];
  const compiled = new Map<OrderedPolicy, CompiledPolicy>();
  for (const policy of sorted.policies) {
    const { document, spec } = policy;
    const ref: PolicyRef = {
      kind: document.kind,
      namespace: document.namespace,
      name: document.name,
      ...document.position,
    };
    const rulesOf = (direction: Direction) =>
      compileRules(spec[direction], document.namespace, direction, ref, rules, compiler);
    compiled.set(policy, {
      number: policies.push(ref) - 1,
      ref,
      counts: !policy.staged || index.world.config.staged === "enforced",
      numbered: document.group === "projectcalico.org" && document.kind !== "StagedKubernetesNetworkPolicy",
      order: spec.order,
      subjects: spec.hostEndpointsOnly ? new Bitmap(0) : members.pods(subjectSelector(spec, document.namespace)),
      governsIngress: spec.governsIngress,
      governsEgress: spec.governsEgress,
      ingress: rulesOf("ingress"),
      egress: rulesOf("egress"),
    });
  }
  const tiers = orderTiers(sorted.tiers, sorted.policies).map((tier): CompiledTier => {
    for (const { document } of tier.exists ? [] : tier.policies)
      problems.push({
        ...document.position,
        path: "spec.tier",
        message: `there is no tier ${tier.name}`,
        expected: "a Tier document; until then it is asked last and denies",
        severity: "warning",
      });
    return {
      name: tier.name,
      defaultAction: tier.defaultAction,
      policies: tier.policies.map((policy) => compiled.get(policy)!),
    };
  });
  return { policies, rules, problems, tiers, prepared };
}

interface SortedDocuments {
  readonly policies: readonly OrderedPolicy[];
  readonly tiers: ReadonlyMap<string, TierSpec>;
  readonly sets: readonly PolicyDocument[];
  readonly slices: readonly PolicyDocument[];
}

function lastOfEach(documents: readonly PolicyDocument[], problems: PolicyProblem[]): PolicyDocument[] {
  const last = new Map<string, PolicyDocument>();
  for (const document of documents) {
    const key = JSON.stringify([document.group, document.kind, document.namespace, document.name]);
    const earlier = last.get(key);
    if (earlier !== undefined)
      problems.push({
        ...earlier.position,
        path: "metadata.name",
        message: `${document.kind} ${document.name} stands here again later on`,
        expected: "each once; the later one counts",
        severity: "warning",
      });
    last.delete(key);
    last.set(key, document);
  }
  return [...last.values()];
}

function sortDocuments(
  documents: readonly PolicyDocument[],
  config: WorldConfig,
  problems: PolicyProblem[],
): SortedDocuments {
  const policies: OrderedPolicy[] = [];
  const tiers = new Map<string, TierSpec>();
  const sets: PolicyDocument[] = [];
  const slices: PolicyDocument[] = [];
  const warn = (document: PolicyDocument, message: string) =>
    problems.push({ ...document.position, path: "", message, severity: "warning" });
  const take = (document: PolicyDocument, spec: CalicoPolicySpec, tieKind: string, staged: boolean) =>
    policies.push({ document, spec, tieKind, staged });
  for (const document of documents) {
    const spec = calicoSpec(document);
    if (spec?.type === "tier") tiers.set(document.name, spec);
    else if (spec?.type === "network-set") sets.push(document);
    else if (spec?.type === "endpoint-slice") slices.push(document);
    else if (spec?.type === "policy") {
      const staged = document.kind.startsWith("Staged");
      if (spec.stagedAction === "Delete" && config.staged === "enforced")
        warn(
          document,
          "staged for deletion: the policy itself still stands; leave it out to see what its deletion does",
        );
      if (isUnreadable(spec, document.namespace))
        warn(document, "not in force: Calico cannot read a selector of blanks beside another; leave it out");
      else if (spec.stagedAction !== "Delete") take(document, spec, document.kind, staged);
    } else if (document.kind === "StagedKubernetesNetworkPolicy") {
      const { stagedAction, policy } = document.spec as StagedKubernetesSpec; // its parser makes nothing else
      if (stagedAction !== "Delete")
        take(document, fromNetworkPolicy(policy, stagedNetworkPolicyTypes(policy)), document.kind, true);
    } else if (document.group === "networking.k8s.io" && document.kind === "NetworkPolicy") {
      const policy = document.spec as NetworkPolicySpec; // as above, and below
      take(document, fromNetworkPolicy(policy, networkPolicyTypes(policy)), "KubernetesNetworkPolicy", false);
    } else if (document.kind === "ClusterNetworkPolicy" && document.group === "policy.networking.k8s.io") {
      const policy = document.spec as ClusterPolicySpec;
      for (const rule of [...policy.ingress, ...policy.egress])
        if (failsClosed(rule))
          problems.push({
            ...rule.position,
            path: rule.path,
            message: "a peer that Calico does not know",
            expected: "namespaces, pods or networks; an Accept rule is left out, others deny everything",
            severity: "warning",
          });
      take(document, fromClusterPolicy(policy), "KubernetesClusterNetworkPolicy", false);
    } else warn(document, `${document.kind} of ${document.apiVersion} is not read by Calico 3.32`);
  }
  return { policies, tiers, sets, slices };
}

/** Slices by `namespace/service`: those among the documents and those that the world knows. */
function serviceSlices(documents: readonly PolicyDocument[], index: WorldIndex): Map<string, EndpointSliceSpec[]> {
  const slices = new Map<string, EndpointSliceSpec[]>();
  const add = (key: string, slice: EndpointSliceSpec) => {
    const list = slices.get(key);
    if (list === undefined) slices.set(key, [slice]);
    else list.push(slice);
  };
  for (const { namespace, name, slices: known } of index.world.services)
    for (const { addresses, ports } of known) {
      const numbered = ports.flatMap(({ port, protocol }) => {
        const number = PROTOCOL_NUMBERS.get(protocol);
        return number === undefined ? [] : [{ port, protocol: number }];
      });
      add(`${namespace}/${name}`, { type: "endpoint-slice", service: name, addresses, ports: numbered });
    }
  for (const document of documents) {
    const slice = document.spec as EndpointSliceSpec; // sorted by type before
    add(`${document.namespace}/${slice.service}`, slice);
  }
  return slices;
}

function* blocksOf(
  sorted: SortedDocuments,
  slices: ReadonlyMap<string, readonly EndpointSliceSpec[]>,
): Generator<Cidr> {
  for (const { spec } of sorted.policies)
    for (const { source, destination } of [...spec.ingress, ...spec.egress])
      for (const { nets, notNets } of [source, destination]) yield* [...nets, ...notNets];
  for (const { spec } of sorted.sets) yield* (spec as { nets: readonly Cidr[] }).nets;
  for (const list of slices.values()) for (const { addresses } of list) yield* addressBytes(addresses).map(hostBlock);
}

function compileRules(
  list: readonly CalicoRule[],
  namespace: string,
  field: Direction,
  policy: PolicyRef,
  rules: RuleRef[],
  compiler: RuleCompiler,
): CompiledRule[] {
  const numbers = new Map<number, number>(); // several translated rules may come from one
  return list.map((rule) => {
    let number = numbers.get(rule.index);
    if (number === undefined) {
      number =
        rules.push({
          policy,
          spec: 0,
          field,
          index: rule.index,
          action: rule.action,
          path: rule.path,
          ...rule.position,
        }) - 1;
      numbers.set(rule.index, number);
    }
    return compiler.compile(rule, namespace, number);
  });
}
