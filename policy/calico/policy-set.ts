import { isV4, parseAddress } from "../../model/address.ts";
import {
  NO_RULE,
  type AnswerColumns,
  type CompiledPolicySet,
  type FlowQuestion,
  type QuestionColumns,
  type RowMatch,
  type RuleOpenness,
  type RuleReach,
} from "../engine.ts";
import type { PolicyProblem } from "../parse/problem.ts";
import { VERDICT_BITS, type Direction, type PolicyRef, type RuleRef, type Verdict } from "../verdict.ts";
import type { SideId, WorldIndex } from "../world-index.ts";
import { ALLOWED, Chains, DENIED, L7, RULE_SHIFT, type Chain, type CompiledTier } from "./chains.ts";
import { explainDirection, ruleMatches, type ClassedFlow } from "./explain.ts";
import { nearestMisses, type NearMiss } from "./near-miss.ts";
import { opennessOfRules } from "./openness.ts";
import { reachesOfRules } from "./reach.ts";
import { includeLatePods, type PreparedWorld } from "./prepared-world.ts";
import type { CompiledRule } from "./rule-table.ts";

/** What documents compile to. */
export interface CalicoParts {
  readonly policies: readonly PolicyRef[];
  readonly rules: readonly RuleRef[];
  readonly problems: readonly PolicyProblem[];
  readonly tiers: readonly CompiledTier[];
  readonly prepared: PreparedWorld;
}

/** How an end takes part, besides its class: bits of `#traits`. */
const V4 = 1;
const V6 = 2;
const ADDRESS = 4;
const LOCAL_NODE = 8;

/** Calico's policies compiled (compile.ts), asked by look-up. */
export class CalicoPolicySet implements CompiledPolicySet {
  readonly profile = "calico";
  readonly world: WorldIndex;
  readonly #compile: () => CalicoParts;
  #parts: CalicoParts;
  #egress: Chains;
  #ingress: Chains;
  readonly #localNodes: ReadonlySet<string>;
  // by side: its class as an IPv4 and as an IPv6 end, and its traits; sides are added while questions are asked
  #class4 = new Int32Array(0);
  #class6 = new Int32Array(0);
  #traits = new Uint8Array(0);
  /** By side: which endpoint it is, −1 for none. */
  #pods = new Int32Array(0);
  #known = 0;

  /** `compile` is asked again when more pods have come than there was room for. */
  constructor(world: WorldIndex, compile: () => CalicoParts) {
    this.world = world;
    this.#compile = compile;
    this.#localNodes = localNodeAddresses(world);
    this.#parts = compile();
    this.#egress = new Chains(this.#parts.tiers, world.endpoints, "egress");
    this.#ingress = new Chains(this.#parts.tiers, world.endpoints, "ingress");
  }

  get policies(): readonly PolicyRef[] {
    return this.#parts.policies;
  }
  get rules(): readonly RuleRef[] {
    return this.#parts.rules;
  }
  get problems(): readonly PolicyProblem[] {
    return this.#parts.problems;
  }
  get #tiers(): readonly CompiledTier[] {
    return this.#parts.tiers;
  }

  evaluate(questions: QuestionColumns, answers: AnswerColumns): void {
    this.#learnSides();
    const { source, destination, protocol, port, sourcePort, icmpCode } = questions;
    for (let row = 0; row < questions.length; row++) {
      const from = source[row]!;
      const to = destination[row]!;
      const v6 = this.#isV6(from, to, protocol[row]!);
      const fromClass = v6 ? this.#class6[from]! : this.#class4[from]!;
      const toClass = v6 ? this.#class6[to]! : this.#class4[to]!;
      const fromPort = sourcePort === undefined ? DEFAULT_SOURCE_PORT : sourcePort[row]!;
      const code = icmpCode === undefined ? 0 : icmpCode[row]!;
      const out = this.#egressChain(from, to);
      const into = this.#ingressChain(from, to);
      const leaves =
        out === undefined
          ? ALLOWED
          : this.#egress.judge(out, fromClass, toClass, protocol[row]!, fromPort, port[row]!, code);
      const enters =
        into === undefined
          ? ALLOWED
          : this.#ingress.judge(into, fromClass, toClass, protocol[row]!, fromPort, port[row]!, code);
      answers.code[row] =
        (leaves & DENIED ? VERDICT_BITS.egressDenied : 0) |
        (enters & DENIED ? VERDICT_BITS.ingressDenied : 0) |
        (leaves & L7 ? VERDICT_BITS.egressL7 : 0) |
        (enters & L7 ? VERDICT_BITS.ingressL7 : 0);
      answers.egressRule[row] = (leaves >> RULE_SHIFT) - 1;
      answers.ingressRule[row] = (enters >> RULE_SHIFT) - 1;
    }
  }

  explain(question: FlowQuestion): Verdict {
    const { source, destination } = question;
    const flow = this.classed(question);
    const direction = (side: SideId, chain: Chain | undefined, exempt: boolean) => {
      const indexed = this.world.side(side);
      return explainDirection(
        chain,
        flow,
        indexed.kind === "endpoint" ? indexed.endpoint.namespace : "",
        exempt,
        this.rules,
      );
    };
    const egress = direction(source, this.#egressChain(source, destination), false);
    const local =
      source !== destination &&
      (this.#traits[source]! & LOCAL_NODE) !== 0 &&
      this.world.side(destination).kind === "endpoint";
    const ingress = direction(destination, this.#ingressChain(source, destination), local);
    return { verdict: egress.verdict === "deny" || ingress.verdict === "deny" ? "deny" : "allow", egress, ingress };
  }

  selecting(side: SideId, direction: Direction): readonly number[] {
    this.#learnSides();
    const chain = (direction === "egress" ? this.#egress : this.#ingress).byPod[this.#pods[side]!];
    return (chain?.tiers ?? []).flatMap(({ policies }) => policies.map(({ number }) => number));
  }

  /** A question in the set's own numbers, defaults filled in. */
  classed({
    source,
    destination,
    protocol,
    port,
    sourcePort = DEFAULT_SOURCE_PORT,
    icmpCode = 0,
  }: FlowQuestion): ClassedFlow {
    this.#learnSides();
    const classes = this.#isV6(source, destination, protocol) ? this.#class6 : this.#class4;
    return { source: classes[source]!, destination: classes[destination]!, protocol, port, sourcePort, icmpCode };
  }

  /** Every rule that stands on the question's way in a direction, in order, with its policy's namespace. */
  *rulesMet(
    { source, destination }: FlowQuestion,
    direction: Direction,
  ): Generator<{ rule: CompiledRule; namespace: string }> {
    this.#learnSides();
    const chain =
      direction === "egress" ? this.#egressChain(source, destination) : this.#ingressChain(source, destination);
    for (const { policies } of chain?.tiers ?? [])
      for (const policy of policies)
        for (const rule of policy[direction]) yield { rule, namespace: policy.ref.namespace };
  }

  matching(questions: QuestionColumns, row: number, direction: Direction, decider: number): RowMatch {
    const question = questionOf(questions, row);
    const flow = this.classed(question);
    const matched = new Set<number>();
    for (const { rule } of this.rulesMet(question, direction)) if (ruleMatches(rule, flow)) matched.add(rule.ref);
    if (decider === NO_RULE) return { matched: [...matched], needed: false };
    const { source, destination } = question;
    const chains = direction === "egress" ? this.#egress : this.#ingress;
    const chain =
      direction === "egress" ? this.#egressChain(source, destination) : this.#ingressChain(source, destination);
    if (chain === undefined) return { matched: [], needed: false };
    const verdict = (without: number) =>
      chains.judge(
        chain,
        flow.source,
        flow.destination,
        flow.protocol,
        flow.sourcePort,
        flow.port,
        flow.icmpCode,
        without,
      ) & DENIED;
    return { matched: [...matched], needed: verdict(-1) !== verdict(decider) };
  }

  openness(): ReadonlyMap<number, RuleOpenness> {
    return opennessOfRules(this.#tiers.flatMap(({ policies }) => policies));
  }

  reaches(): readonly RuleReach[] {
    return reachesOfRules(this.#tiers);
  }

  nearestMisses(direction: Direction, question: FlowQuestion, limit = 3): NearMiss[] {
    return nearestMisses(this, direction, question, limit);
  }

  /** Tiers in order with their policies, for sentences and reports. */
  get tiers(): readonly CompiledTier[] {
    return this.#tiers;
  }

  /** A pod's traffic with itself never reaches Calico. */
  #egressChain(from: SideId, to: SideId): Chain | undefined {
    const pod = this.#pods[from]!;
    return pod < 0 || pod === this.#pods[to] ? undefined : this.#egress.byPod[pod];
  }

  /** Nor does Calico keep a node from its own pods, for kubelet's probes. */
  #ingressChain(from: SideId, to: SideId): Chain | undefined {
    const pod = this.#pods[to]!;
    if (pod < 0 || pod === this.#pods[from] || (this.#traits[from]! & LOCAL_NODE) !== 0) return undefined;
    return this.#ingress.byPod[pod];
  }

  /** The family of traffic between two sides: an address has one; two pods that have both talk IPv4, but for ICMPv6. */
  #isV6(from: SideId, to: SideId, protocol: number): boolean {
    const both = this.#traits[from]! & this.#traits[to]! & (V4 | V6);
    if (both === V6) return true;
    if (both === V4) return false;
    if (both !== 0) return protocol === 58;
    const address = (this.#traits[from]! & ADDRESS) !== 0 ? from : to;
    return (this.#traits[address]! & (V4 | V6)) === V6;
  }

  /** Pods that came since: where there is room the compiled sets take them in, else everything is compiled again. */
  #learnPods(): void {
    const { endpoints } = this.world;
    const first = this.#egress.byPod.length;
    if (first === endpoints.length) return;
    const { prepared } = this.#parts;
    if (includeLatePods(prepared, this.world)) {
      const late = Array.from({ length: endpoints.length - first }, (_, i) => first + i);
      const classes = late.flatMap((pod) => [prepared.classes.pod(pod, 4), prepared.classes.pod(pod, 6)]);
      this.#egress.include(endpoints, classes);
      this.#ingress.include(endpoints, classes);
      return;
    }
    this.#parts = this.#compile();
    this.#egress = new Chains(this.#parts.tiers, endpoints, "egress");
    this.#ingress = new Chains(this.#parts.tiers, endpoints, "ingress");
    this.#known = 0;
  }

  #learnSides(): void {
    this.#learnPods();
    const { size } = this.world;
    if (this.#known === size) return;
    if (size > this.#class4.length) {
      const room = Math.max(size, this.#class4.length * 2);
      this.#class4 = grown(new Int32Array(room), this.#class4);
      this.#class6 = grown(new Int32Array(room), this.#class6);
      this.#traits = grown(new Uint8Array(room), this.#traits);
      this.#pods = grown(new Int32Array(room), this.#pods);
    }
    for (let id = this.#known; id < size; id++) {
      const side = this.world.side(id);
      this.#pods[id] = side.kind === "endpoint" ? side.index : -1;
      this.#class4[id] = this.#parts.prepared.classes.ofSide(side, 4);
      this.#class6[id] = this.#parts.prepared.classes.ofSide(side, 6);
      if (side.kind === "entity") this.#traits[id] = V4 | V6 | (side.entity === "host" ? LOCAL_NODE : 0);
      else if (side.kind === "address")
        this.#traits[id] =
          (isV4(side.bytes) ? V4 : V6) | ADDRESS | (this.#localNodes.has(side.bytes.join(".")) ? LOCAL_NODE : 0);
      else {
        const { addresses } = side.endpoint;
        const v6 = addresses.some((address) => address.includes(":"));
        const v4 = addresses.some((address) => !address.includes(":"));
        this.#traits[id] = (v4 ? V4 : 0) | (v6 ? V6 : 0) || V4 | V6;
      }
    }
    this.#known = size;
  }
}

const DEFAULT_SOURCE_PORT = 40000;

/** Addresses of the nodes whose agent judges: Calico lets their traffic to its pods pass. */
function localNodeAddresses(index: WorldIndex): Set<string> {
  const local = index.world.nodes.filter((node) => node.local).flatMap(({ addresses }) => addresses);
  return new Set(local.map((address) => parseAddress(address)?.join(".")).filter((key) => key !== undefined));
}

function questionOf(columns: QuestionColumns, row: number): FlowQuestion {
  return {
    source: columns.source[row]!,
    destination: columns.destination[row]!,
    protocol: columns.protocol[row]!,
    port: columns.port[row]!,
    ...(columns.sourcePort === undefined ? {} : { sourcePort: columns.sourcePort[row]! }),
    ...(columns.icmpCode === undefined ? {} : { icmpCode: columns.icmpCode[row]! }),
  };
}

function grown<T extends Int32Array | Uint8Array>(room: T, old: T): T {
  room.set(old);
  return room;
}
