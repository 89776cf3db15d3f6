import type { Cidr } from "../../model/address.ts";
import { Bitmap } from "../compile/bitmap.ts";
import type { RuleAction } from "../verdict.ts";
import type { WorldIndex } from "../world-index.ts";
import { PROTOCOL_NUMBERS } from "../engine.ts";
import type { AddressClasses } from "./address-classes.ts";
import { addressBytes, type Members } from "./members.ts";
import { peerSelector } from "./peer-selector.ts";
import { allOf, formatSelector, type Selector } from "./selector.ts";
import { ANY_ENTITY, type CalicoEntity, type CalicoRule, type EndpointSliceSpec, type PortMatch } from "./types.ts";

/** Ports that a rule names, ready for look-up. */
export interface CompiledPorts {
  /** Pairs first, last: sorted, apart from each other. */
  readonly ranges: Uint16Array;
  /** `portKey`s of the pods that name a port so, a set a name, shared by all rules; undefined without names. */
  readonly named: readonly ReadonlySet<number>[] | undefined;
  /** Pods (classes) on which names count: those that the entity's own selector matches; undefined = all. */
  readonly namedPods: Uint32Array | undefined;
}

/** A rule ready for look-up: what it asks of addresses is a bit for each class (address-classes.ts), undefined = anything. */
export interface CompiledRule {
  readonly action: RuleAction;
  /** Number of the document's rule in `CompiledPolicySet.rules`. */
  readonly ref: number;
  readonly rule: CalicoRule;
  readonly source: Uint32Array | undefined;
  readonly destination: Uint32Array | undefined;
  /** −1 = any. */
  readonly protocol: number;
  readonly notProtocol: number;
  readonly icmpType: number;
  readonly icmpCode: number;
  readonly notIcmpType: number;
  readonly notIcmpCode: number;
  /** False: none of the four below is there. */
  readonly hasPorts: boolean;
  readonly sourcePorts: CompiledPorts | undefined;
  readonly destinationPorts: CompiledPorts | undefined;
  readonly notSourcePorts: CompiledPorts | undefined;
  readonly notDestinationPorts: CompiledPorts | undefined;
  /** `portKey`s of a service's endpoints. */
  readonly service: ReadonlySet<number> | undefined;
  readonly l7: boolean;
}

/** One number for an end's class, protocol and port: below 2^53 for more than 500 million classes. */
export function portKey(klass: number, protocol: number, port: number): number {
  return klass * 0x1000000 + protocol * 0x10000 + port;
}

const MAX_ADDRESS_SETS = 50_000;

/** Compiles rules against one world; what several rules ask alike is computed once. */
export class RuleCompiler {
  readonly #members: Members;
  readonly #classes: AddressClasses;
  readonly #slices: ReadonlyMap<string, readonly EndpointSliceSpec[]>;
  readonly #addressSets = new Map<string, { readonly words: Uint32Array | undefined; again(): Bitmap | undefined }>();
  readonly #namedPorts = new Map<string, Set<number>>();
  readonly #podSets = new Map<string, { readonly words: Uint32Array; readonly selector: Selector }>();
  readonly #services = new Map<string, Set<number>>();
  #pods = 0;

  constructor(
    index: WorldIndex,
    members: Members,
    classes: AddressClasses,
    slices: ReadonlyMap<string, readonly EndpointSliceSpec[]>,
  ) {
    this.#members = members;
    this.#classes = classes;
    this.#slices = slices;
    this.include(index);
  }

  /** Takes in pods that came since the last time, after the classes did: rules that were compiled before hold the same sets, and see them. */
  include({ endpoints }: WorldIndex): void {
    if (this.#pods === endpoints.length) return;
    for (; this.#pods < endpoints.length; this.#pods++) {
      const endpoint = endpoints[this.#pods]!;
      if (endpoint.hostNetwork === true) continue;
      for (const { name, port, protocol } of endpoint.ports) {
        const number = PROTOCOL_NUMBERS.get(protocol);
        if (number === undefined) continue;
        const keys = this.#portsNamed(name);
        for (const family of [4, 6] as const) keys.add(portKey(this.#classes.pod(this.#pods, family), number, port));
      }
    }
    for (const { words, again } of this.#addressSets.values()) words?.set(again()!.words);
    for (const { words, selector } of this.#podSets.values())
      words.set(this.#classes.ofPods(this.#members.pods(selector)).words);
    for (const [service, keys] of this.#services) this.#fillService(service, keys);
  }

  #portsNamed(name: string): Set<number> {
    let keys = this.#namedPorts.get(name);
    if (keys === undefined) this.#namedPorts.set(name, (keys = new Set()));
    return keys;
  }

  /** True once so many different peers were asked for that a new compiler is cheaper than the memory. */
  get isFull(): boolean {
    return this.#addressSets.size > MAX_ADDRESS_SETS;
  }

  /** `namespace` is the policy's, "" for a global one. */
  compile(rule: CalicoRule, namespace: string, ref: number): CompiledRule {
    const ports = (entity: CalicoEntity, match: PortMatch | undefined) => this.#ports(entity, match, namespace);
    const { source, destination } = rule;
    const compiled = {
      sourcePorts: ports(source, source.ports),
      destinationPorts: ports(destination, destination.ports),
      notSourcePorts: ports(source, source.notPorts),
      notDestinationPorts: ports(destination, destination.notPorts),
      service: destination.services === undefined ? undefined : this.#serviceKeys(destination.services),
    };
    return {
      ...compiled,
      hasPorts: Object.values(compiled).some((part) => part !== undefined),
      action: rule.action,
      ref,
      rule,
      source: this.#addresses(source, namespace, rule.ipVersion),
      destination: this.#addresses(destination, namespace, rule.ipVersion),
      protocol: rule.protocol ?? -1,
      notProtocol: rule.notProtocol ?? -1,
      icmpType: rule.icmp?.type ?? -1,
      icmpCode: rule.icmp?.code ?? -1,
      notIcmpType: rule.notIcmp?.type ?? -1,
      notIcmpCode: rule.notIcmp?.code ?? -1,
      l7: rule.http !== undefined,
    };
  }

  #addresses(entity: CalicoEntity, namespace: string, ipVersion: 0 | 4 | 6): Uint32Array | undefined {
    if (entity === ANY_ENTITY && ipVersion === 0) return undefined;
    const key = addressKey(entity, namespace, ipVersion);
    let known = this.#addressSets.get(key);
    if (known === undefined) {
      const again = () => this.#addressSet(entity, namespace, ipVersion);
      this.#addressSets.set(key, (known = { words: again()?.words, again }));
    }
    return known.words;
  }

  #addressSet(entity: CalicoEntity, namespace: string, ipVersion: 0 | 4 | 6): Bitmap | undefined {
    let out: Bitmap | undefined;
    const keep = (set: Bitmap) => (out = out === undefined ? set.clone() : out.and(set));
    const leaveOut = (set: Bitmap) => (out ??= Bitmap.full(this.#classes.count)).andNot(set);
    if (ipVersion !== 0) keep(ipVersion === 4 ? this.#classes.v4 : this.#classes.v6);
    const positive = peerSelector(entity, namespace);
    const { notSelector, nets, notNets, services } = entity;
    if (positive !== undefined)
      keep(this.#classes.selected(allOf(positive, notSelector && { kind: "not", operand: notSelector })!));
    else if (notSelector !== undefined) leaveOut(this.#classes.selected(notSelector));
    if (nets.length > 0) keep(this.#classes.withinNets(nets));
    // a rule whose notNets are all of one family is not written for the other at all (felix/rules/policy.go, filterNets)
    if (notNets.length > 0 && notNets.every(({ v4 }) => v4)) keep(this.#classes.v4);
    if (notNets.length > 0 && notNets.every(({ v4 }) => !v4)) keep(this.#classes.v6);
    if (notNets.length > 0) leaveOut(this.#classes.withinNets(notNets));
    if (services !== undefined) keep(this.#serviceClasses(services));
    return out;
  }

  #ports(entity: CalicoEntity, match: PortMatch | undefined, namespace: string): CompiledPorts | undefined {
    if (match === undefined) return undefined;
    const ranges = mergedRanges(match.ranges);
    if (match.names.length === 0) return { ranges, named: undefined, namedPods: undefined };
    const named = match.names.map((name) => this.#portsNamed(name));
    return { ranges, named, namedPods: this.#namedPods(entity, namespace) };
  }

  /** A name counts on pods that the positive selector itself matches, not on pods that merely lie in a matching network set. */
  #namedPods(entity: CalicoEntity, namespace: string): Uint32Array | undefined {
    const positive = peerSelector(entity, namespace);
    if (positive === undefined) return undefined;
    const selector = allOf(positive, entity.notSelector && { kind: "not", operand: entity.notSelector })!;
    const key = formatSelector(selector);
    let known = this.#podSets.get(key);
    if (known === undefined) {
      const { words } = this.#classes.ofPods(this.#members.pods(selector));
      this.#podSets.set(key, (known = { words, selector }));
    }
    return known.words;
  }

  #serviceKeys({ namespace, name }: { namespace: string; name: string }): ReadonlySet<number> {
    const service = `${namespace}/${name}`;
    let keys = this.#services.get(service);
    if (keys === undefined) this.#services.set(service, (keys = this.#fillService(service, new Set())));
    return keys;
  }

  #fillService(service: string, keys: Set<number>): Set<number> {
    for (const { addresses, ports } of this.#slices.get(service) ?? [])
      for (const klass of this.#classesOf(addresses))
        for (const { port, protocol } of ports) keys.add(portKey(klass, protocol, port));
    return keys;
  }

  #serviceClasses(service: { namespace: string; name: string }): Bitmap {
    const out = new Bitmap(this.#classes.count);
    for (const { addresses } of this.#slices.get(`${service.namespace}/${service.name}`) ?? [])
      for (const klass of this.#classesOf(addresses)) out.add(klass);
    return out;
  }

  /** Classes of single addresses (each is a block of its own in the trie), with the pods that have them. */
  #classesOf(addresses: readonly string[]): number[] {
    return this.#classes.withinNets(addressBytes(addresses).map(hostBlock)).toArray();
  }
}

/** The block of one address. */
export function hostBlock(bytes: Uint8Array): Cidr {
  return {
    bytes,
    bits: 128,
    v4: bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff,
  };
}

function mergedRanges(ranges: PortMatch["ranges"]): Uint16Array {
  const out: { first: number; last: number }[] = [];
  for (const { first, last } of ranges.toSorted((a, b) => a.first - b.first)) {
    const previous = out.at(-1);
    if (previous !== undefined && first <= previous.last + 1) previous.last = Math.max(previous.last, last);
    else out.push({ first, last });
  }
  return Uint16Array.from(out.flatMap(({ first, last }) => [first, last]));
}

const KEYED = [
  "nets",
  "notNets",
  "selector",
  "notSelector",
  "namespaceSelector",
  "serviceAccounts",
  "services",
] as const;

function addressKey(entity: CalicoEntity, namespace: string, ipVersion: number): string {
  const plain = KEYED.map((field) => entity[field]);
  return JSON.stringify([namespace, ipVersion, plain], (_, value: unknown) =>
    value instanceof Set ? [...value] : value instanceof Uint8Array ? value.join(".") : value,
  );
}
