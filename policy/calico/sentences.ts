import { formatCidr } from "../../model/address.ts";
import { PROTOCOL_NUMBERS } from "../engine.ts";
import type { PolicyDocument } from "../parse/documents.ts";
import type { Position } from "../parse/problem.ts";
import type { Direction, RuleAction } from "../verdict.ts";
import { ACCOUNT_PREFIX, NAMESPACE, NAMESPACE_PREFIX, ORCHESTRATOR, SERVICE_ACCOUNT } from "./members.ts";
import { mapLeaves, matchesSelector, type Selector } from "./selector.ts";
import {
  calicoSpec,
  type CalicoEntity,
  type CalicoPolicySpec,
  type CalicoRule,
  type IcmpMatch,
  type PortMatch,
} from "./types.ts";

/** What Calico's documents say, in plain English: one sentence for the whole, one for each rule, each with its line. */
export interface Sentence {
  readonly text: string;
  readonly position: Position;
  /** `spec.ingress[0]`; "" for the document. */
  readonly path: string;
}

/** The sentences of a document of Calico's own kinds, in order; none for any other. */
export function calicoSentences(document: PolicyDocument): readonly Sentence[] {
  const spec = calicoSpec(document);
  const say = (text: string): Sentence => ({ text, position: document.position, path: "" });
  switch (spec?.type) {
    case "policy":
      return [
        say(policySentence(document, spec)),
        ...(["ingress", "egress"] as const).flatMap((direction) => ruleSentences(document, spec, direction)),
      ];
    case "tier":
      return [
        say(
          `Tier ${document.name}, at order ${spec.order}: traffic that its policies select and no rule of theirs decides ${spec.defaultAction === "deny" ? "is denied" : "goes on to the next tier"}.`,
        ),
      ];
    case "network-set":
      return [
        say(
          `${document.namespace === "" ? "Global network set" : `Network set of namespace ${document.namespace}`} ${document.name}: ${spec.nets.length === 0 ? "no address" : listed(spec.nets.map(formatCidr), "and")}.`,
        ),
      ];
    case "endpoint-slice":
      return [
        say(
          `Endpoints of service ${document.namespace}/${spec.service}: ${spec.addresses.length === 0 ? "none" : listed(spec.addresses, "and")}.`,
        ),
      ];
    case undefined:
      return [];
  }
}

export const STAGED = "Staged, so not in force yet. ";
export const STAGED_DELETION = "Staged for deletion: says nothing itself, and the policy of that name still stands.";

function policySentence(document: PolicyDocument, spec: CalicoPolicySpec): string {
  const directions = [...(spec.governsIngress ? ["what reaches"] : []), ...(spec.governsEgress ? ["what leaves"] : [])];
  const order = spec.order === undefined ? "last" : `at order ${spec.order}`;
  if (spec.stagedAction === "Delete") return STAGED_DELETION;
  const staged = document.kind.startsWith("Staged") ? STAGED : "";
  if (spec.hostEndpointsOnly) return `${staged}For host endpoints alone; no pod is subject to it.`;
  const subjects = subjectPhrase(spec, document.namespace);
  return `${staged}Governs ${listed(directions, "and")} ${subjects}; asked ${order} in tier ${spec.tier}.`;
}

function subjectPhrase(spec: CalicoPolicySpec, namespace: string): string {
  const { selector, namespaceSelector, serviceAccountSelector } = spec;
  const parts = [
    ...(isEverything(selector) ? [] : [`whose ${selectorPhrase(selector)}`]),
    ...(namespaceSelector === undefined || isEverything(namespaceSelector)
      ? []
      : [`in namespaces whose ${selectorPhrase(namespaceSelector)}`]),
    ...(serviceAccountSelector === undefined || isEverything(serviceAccountSelector)
      ? []
      : [`running as service accounts whose ${selectorPhrase(serviceAccountSelector)}`]),
  ];
  const who = namespace === "" ? "pods" : `pods of namespace ${namespace}`;
  return parts.length === 0 ? `all ${who}` : `${who} ${parts.join(", ")}`;
}

function ruleSentences(document: PolicyDocument, spec: CalicoPolicySpec, direction: Direction): Sentence[] {
  if (!(direction === "ingress" ? spec.governsIngress : spec.governsEgress))
    return spec[direction].slice(0, 1).map(({ position }) => ({
      text: `The ${direction} rules have no effect: types leaves ${direction} out.`,
      position,
      path: `spec.${direction}`,
    }));
  return spec[direction].map((rule) => ({
    text: ruleSentence(rule, direction, document.namespace),
    position: rule.position,
    path: rule.path,
  }));
}

const VERBS: Readonly<Record<RuleAction, string>> = {
  allow: "Allows",
  deny: "Denies",
  pass: "Leaves to the next tier",
  log: "Writes a log line for (and goes on with)",
};

/** A rule in one sentence: `Allows TCP to port 8080 from pods of namespace shop whose label app is "web".` */
export function ruleSentence(rule: CalicoRule, direction: Direction, namespace: string): string {
  const what = trafficPhrase(rule);
  const from = endPhrase(rule.source, namespace);
  const to = endPhrase(rule.destination, namespace);
  const ports = portsPhrase(rule.destination, "to");
  const sourcePorts = portsPhrase(rule.source, "from");
  // the subject's own end needs no words unless the rule narrows it
  const source = from === undefined && direction === "egress" ? "" : ` from ${from ?? "anyone"}`;
  const destination = to === undefined && direction === "ingress" ? "" : ` to ${to ?? "anywhere"}`;
  const http = rule.http === undefined ? "" : ` if its HTTP requests fit (${httpPhrase(rule.http)})`;
  return `${VERBS[rule.action]} ${what}${sourcePorts}${ports}${source}${destination}${http}.`;
}

function trafficPhrase(rule: CalicoRule): string {
  const version = rule.ipVersion === 0 || isIcmpNumber(rule.protocol) ? "" : `IPv${rule.ipVersion} `;
  const protocol =
    rule.protocol === undefined ? `${version}traffic of every protocol` : `${version}${protocolName(rule.protocol)}`;
  const but = rule.notProtocol === undefined ? "" : ` but ${protocolName(rule.notProtocol)}`;
  const icmp = rule.icmp === undefined ? "" : ` of ${icmpPhrase(rule.icmp)}`;
  const notIcmp = rule.notIcmp?.type === undefined ? "" : `, ICMP of ${icmpPhrase(rule.notIcmp)} excepted,`;
  return `${protocol}${but}${icmp}${notIcmp}`;
}

function isIcmpNumber(protocol: number | undefined): boolean {
  return protocol === 1 || protocol === 58;
}

function icmpPhrase({ type, code }: IcmpMatch): string {
  if (type === undefined) return "any type";
  return code === undefined ? `type ${type}` : `type ${type} code ${code}`;
}

/** `TCP`, or `protocol 47`. */
export function protocolName(number: number): string {
  for (const [name, known] of PROTOCOL_NUMBERS) if (known === number) return name;
  return `protocol ${number}`;
}

function portsPhrase({ ports, notPorts }: CalicoEntity, word: "to" | "from"): string {
  const positive = ports === undefined ? "" : ` ${word} ${portList(ports, "or")}`;
  const negative =
    notPorts === undefined ? "" : ` ${ports === undefined ? `${word} every port ` : ""}but ${portList(notPorts, "or")}`;
  return positive + negative;
}

function portList({ ranges, names }: PortMatch, word: "or"): string {
  const numbers = ranges.map(({ first, last }) => (first === last ? String(first) : `${first}–${last}`));
  const all = [...numbers, ...names.map((name) => `"${name}"`)];
  return `${all.length === 1 && ranges.every(({ first, last }) => first === last) ? "port" : "ports"} ${listed(all, word)}`;
}

/** Who an end is, or undefined when the rule does not ask. */
function endPhrase(entity: CalicoEntity, namespace: string): string | undefined {
  const { selector, notSelector, namespaceSelector, serviceAccounts, nets, notNets, services } = entity;
  if (services !== undefined) return `the endpoints of service ${services.namespace}/${services.name}`;
  const asksAccounts =
    serviceAccounts !== undefined && (serviceAccounts.names.length > 0 || serviceAccounts.selector !== undefined);
  const members =
    selector !== undefined ||
    namespaceSelector !== undefined ||
    asksAccounts ||
    (notSelector !== undefined && namespace !== "");
  const parts: string[] = [];
  if (members) parts.push(membersPhrase(entity, namespace, asksAccounts));
  else if (notSelector !== undefined)
    parts.push(`anyone but pods and network sets whose ${selectorPhrase(notSelector)}`);
  if (nets.length > 0)
    parts.push(
      `${members || notSelector !== undefined ? "within" : "addresses within"} ${listed(nets.map(formatCidr), "or")}`,
    );
  if (notNets.length > 0)
    parts.push(`${parts.length === 0 ? "addresses " : ""}outside of ${listed(notNets.map(formatCidr), "and")}`);
  return parts.length === 0 ? undefined : parts.join(", ");
}

function membersPhrase(entity: CalicoEntity, namespace: string, asksAccounts: boolean): string {
  const { selector, notSelector, namespaceSelector, serviceAccounts } = entity;
  const clauses = [
    ...(isEverything(selector) ? [] : [`whose ${selectorPhrase(selector)}`]),
    ...(notSelector === undefined ? [] : [`unless ${selectorPhrase(notSelector)}`]),
  ];
  if (asksAccounts) {
    const { names, selector: accounts } = serviceAccounts!;
    if (names.length > 0) clauses.push(`running as service account ${listed(names, "or")}`);
    if (accounts !== undefined) clauses.push(`with a service account whose ${selectorPhrase(accounts)}`);
  }
  const who = reachPhrase(namespaceSelector, namespace);
  return [who, ...clauses].join(" ");
}

/** Whose pods and sets are in reach. A negative namespaceSelector takes in the sets that have no namespace. */
function reachPhrase(selector: Selector | undefined, namespace: string): string {
  if (selector === undefined)
    return namespace === "" ? "pods and network sets" : `pods and network sets of namespace ${namespace}`;
  if (selector.kind === "global") return "global network sets";
  if (selector.kind === "all") return "pods and network sets of every namespace";
  const noAll = mapLeaves(selector, (part) => (part.kind === "all" ? NOTHING : part));
  const global = matchesSelector(noAll, () => undefined) ? " (and global network sets)" : "";
  return `pods and network sets of namespaces whose ${selectorPhrase(selector)}${global}`;
}

const NOTHING: Selector = { kind: "in", key: "", values: new Set() };

function isEverything(selector: Selector | undefined): selector is undefined {
  return selector === undefined || selector.kind === "all";
}

/** A selector as a clause: `label app is "web" and label tier is not set`. */
export function selectorPhrase(selector: Selector): string {
  switch (selector.kind) {
    case "all":
      return "labels are any";
    case "global":
      return "namespace is none";
    case "has":
      return `${keyPhrase(selector.key)} is set`;
    case "equals":
      return `${keyPhrase(selector.key)} is "${selector.value}"`;
    case "notEquals":
      return `${keyPhrase(selector.key)} is not "${selector.value}"`;
    case "contains":
      return `${keyPhrase(selector.key)} contains "${selector.value}"`;
    case "startsWith":
      return `${keyPhrase(selector.key)} starts with "${selector.value}"`;
    case "endsWith":
      return `${keyPhrase(selector.key)} ends with "${selector.value}"`;
    case "in":
    case "notIn": {
      const values = [...selector.values].map((value) => `"${value}"`);
      if (values.length === 0) return selector.kind === "in" ? "labels match nothing" : "labels are any";
      return `${keyPhrase(selector.key)} is ${selector.kind === "in" ? "" : "not "}${listed(values, "or")}`;
    }
    case "not":
      return selector.operand.kind === "has"
        ? `${keyPhrase(selector.operand.key)} is not set`
        : `not (${selectorPhrase(selector.operand)})`;
    case "and":
    case "or":
      return selector.operands
        .map((part) => (part.kind === "or" || part.kind === "and" ? `(${selectorPhrase(part)})` : selectorPhrase(part)))
        .join(` ${selector.kind} `);
  }
}

const KEY_PHRASES: ReadonlyMap<string, string> = new Map([
  [NAMESPACE, "namespace"],
  [SERVICE_ACCOUNT, "service account"],
  [ORCHESTRATOR, "orchestrator"],
  ["projectcalico.org/name", "name"],
]);

function keyPhrase(key: string): string {
  const known = KEY_PHRASES.get(key);
  if (known !== undefined) return known;
  if (key.startsWith(NAMESPACE_PREFIX)) return `namespace's label ${key.slice(NAMESPACE_PREFIX.length)}`;
  return key.startsWith(ACCOUNT_PREFIX)
    ? `service account's label ${key.slice(ACCOUNT_PREFIX.length)}`
    : `label ${key}`;
}

function httpPhrase({ methods, paths }: NonNullable<CalicoRule["http"]>): string {
  const parts = [
    ...(methods.length === 0 ? [] : [`method ${listed(methods, "or")}`]),
    ...(paths.length === 0
      ? []
      : [
          `path ${listed(
            paths.map(({ exact, path }) => (exact ? path : `${path}…`)),
            "or",
          )}`,
        ]),
  ];
  return parts.length === 0 ? "any" : parts.join(", ");
}

/** `a`, `a or b`, `a, b or c`. */
function listed(items: readonly string[], word: "and" | "or"): string {
  if (items.length < 2) return items[0] ?? "nothing";
  return `${items.slice(0, -1).join(", ")} ${word} ${items.at(-1)}`;
}
