import type { Cursor, Fields } from "../parse/reader.ts";
import { quote } from "../parse/reader.ts";
import type { Direction, RuleAction } from "../verdict.ts";
import { checkAnnotations, checkName } from "./metadata.ts";
import {
  readPlainSelector,
  readPorts,
  readProtocol,
  readRuleNets,
  readSelector,
  warnOfLimit,
  type ProtocolValue,
} from "./parse-values.ts";
import { ANY_ENTITY, type CalicoEntity, type CalicoRule, type HttpMatch, type IcmpMatch } from "./types.ts";

/** One rule with every check of validator/v3 3.32.1 and of the CRDs' schemas that concerns it. */
export interface RuleContext {
  readonly direction: Direction;
  /** "" in a GlobalNetworkPolicy, whose `services` must name theirs. */
  readonly namespace: string;
}

const RULE_FIELDS = [
  "action",
  "protocol",
  "notProtocol",
  "source",
  "destination",
  "icmp",
  "notICMP",
  "ipVersion",
  "http",
  "metadata",
] as const;
const ENTITY_FIELDS = [
  "nets",
  "notNets",
  "selector",
  "notSelector",
  "namespaceSelector",
  "ports",
  "notPorts",
  "serviceAccounts",
  "services",
] as const;
const ACTIONS = { Allow: "allow", Deny: "deny", Pass: "pass", Log: "log" } as const satisfies Record<
  string,
  RuleAction
>;
/** As of 3.33 (parse-values.ts). */
const RULES_LATER = 1024;
/** No object that etcd takes (1.5 MiB) has as many rules that say more than their action. */
const MAX_RULES = 65_536;

/** A direction's rules, those with errors left out. */
export function readRules(cursor: Cursor | undefined, context: RuleContext): readonly CalicoRule[] {
  const items = cursor?.items("a list of rules") ?? [];
  if (items.length > MAX_RULES) cursor!.problem(`${items.length} rules in one list`, `at most ${MAX_RULES}`);
  else if (items.length > RULES_LATER) warnOfLimit(cursor!, `${items.length} rules in one list`, RULES_LATER);
  return items
    .slice(0, MAX_RULES)
    .map((item, index) => readRule(item, index, context))
    .filter((rule) => rule !== undefined);
}

function readRule(cursor: Cursor, index: number, context: RuleContext): CalicoRule | undefined {
  const fields = cursor.fields(RULE_FIELDS);
  if (fields === undefined) return undefined;
  const action = fields.need("action", "Allow, Deny, Pass or Log")?.oneOf(["Allow", "Deny", "Pass", "Log"]);
  const protocol = readProtocol(fields.get("protocol"));
  const notProtocol = readProtocol(fields.get("notProtocol"));
  const ipVersion = readIpVersion(fields.get("ipVersion"));
  const icmp = readIcmp(fields.get("icmp"));
  const notIcmp = readIcmp(fields.get("notICMP"));
  const http = readHttp(fields.get("http"));
  checkIcmp(fields, protocol, notProtocol, ipVersion);
  checkHttp(fields, action, protocol, context.direction);
  checkAnnotations(fields.get("metadata")?.fields(["annotations"])?.get("annotations"));
  const source = readEntity(fields, "source", protocol, context);
  const destination = readEntity(fields, "destination", protocol, context);
  checkFamilies([...source.nets, ...destination.nets], ipVersion);
  if (action === undefined) return undefined;
  return {
    index,
    position: cursor.position,
    path: cursor.path,
    action: ACTIONS[action],
    ipVersion: ipVersion ?? (protocol?.name === "ICMP" ? 4 : protocol?.name === "ICMPv6" ? 6 : 0),
    protocol: protocol?.number,
    notProtocol: notProtocol?.number,
    icmp,
    notIcmp,
    source: source.entity,
    destination: destination.entity,
    http,
  };
}

interface EntityRead {
  readonly entity: CalicoEntity;
  readonly nets: ReturnType<typeof readRuleNets>;
}

function readEntity(
  rule: Fields,
  side: "source" | "destination",
  protocol: ProtocolValue | undefined,
  context: RuleContext,
): EntityRead {
  const cursor = rule.get(side);
  const fields = cursor?.fields(ENTITY_FIELDS);
  if (cursor === undefined || fields === undefined) return { entity: ANY_ENTITY, nets: [] };
  const nets = readRuleNets(fields.get("nets"), false);
  const notNets = readRuleNets(fields.get("notNets"), true);
  const ports = readPorts(fields.get("ports"));
  const notPorts = readPorts(fields.get("notPorts"));
  checkPorts(fields, protocol, rule.get("protocol") !== undefined);
  const namespaceSelector = readSelector(fields.get("namespaceSelector"));
  checkGlobal(fields.get("namespaceSelector"));
  const services = readServices(fields, side, context);
  const entity: CalicoEntity = {
    nets: nets.map(({ net }) => net),
    notNets: notNets.map(({ net }) => net),
    selector: readPlainSelector(fields.get("selector")),
    notSelector: readSelector(fields.get("notSelector")),
    namespaceSelector,
    serviceAccounts: readServiceAccounts(fields.get("serviceAccounts")),
    ports,
    notPorts,
    services,
  };
  return { entity, nets: [...nets, ...notNets] };
}

/** global() in a namespaceSelector stands alone. */
function checkGlobal(cursor: Cursor | undefined): void {
  const text = cursor?.node.kind === "scalar" ? cursor.node.value : undefined;
  if (cursor === undefined || typeof text !== "string" || !text.includes("global(")) return;
  if (!/^[ \t]*global\([ \t]*\)[ \t]*$/.test(text))
    cursor.problem("global() stands with something else", "global() alone");
}

function checkPorts(fields: Fields, protocol: ProtocolValue | undefined, protocolWritten: boolean): void {
  for (const field of ["ports", "notPorts"] as const) {
    const cursor = fields.get(field);
    const ports = cursor?.node.kind === "list" ? cursor.node.items : [];
    if (cursor === undefined || ports.length === 0) continue;
    const hasNumber = ports.some((port) => port.kind === "scalar" && /^\d+(?::\d+)?$/.test(String(port.value)));
    if (!protocolWritten && hasNumber)
      cursor.problem("a port's number without a protocol", "protocol TCP, UDP or SCTP beside it, or names alone");
    if (protocol !== undefined && ![6, 17, 132].includes(protocol.number))
      cursor.problem("ports with a protocol that has none", "protocol TCP, UDP or SCTP");
  }
}

function readServiceAccounts(cursor: Cursor | undefined): CalicoEntity["serviceAccounts"] {
  const fields = cursor?.fields(["names", "selector"]);
  if (fields === undefined) return undefined;
  const names = (fields.get("names")?.items("a list of names") ?? []).map((item) => item.string("a name"));
  return {
    names: names.filter((name) => name !== undefined),
    selector: readSelector(fields.get("selector"), Number.POSITIVE_INFINITY), // the schema sets no limit here
  };
}

function readServices(entity: Fields, side: "source" | "destination", context: RuleContext): CalicoEntity["services"] {
  const cursor = entity.get("services");
  const fields = cursor?.fields(["name", "namespace"]);
  if (cursor === undefined || fields === undefined) return undefined;
  const readName = (field: "name" | "namespace") => {
    const text = fields.get(field)?.string("a name") ?? "";
    if (text !== "") checkName(fields.get(field)!, text, "subdomain");
    return text;
  };
  const name = readName("name");
  const namespace = readName("namespace");
  if (name === "") cursor.problem("services without a name", "name and namespace of a service");
  if (namespace === "" && context.namespace !== "")
    cursor.warning(
      "services without a namespace match nothing (Calico 3.32 looks in no namespace, whatever its reference says)",
      "the service's namespace",
    );
  if (namespace === "" && context.namespace === "")
    cursor.problem("services without a namespace in a global policy", "the service's namespace");
  const wanted = context.direction === "ingress" ? "source" : "destination";
  if (side !== wanted)
    cursor.problem(`services in the ${side} of an ${context.direction} rule`, `services in its ${wanted}`);
  const ports = side === "destination" ? (["ports", "notPorts"] as const) : []; // of a source, ports may be asked beside it
  for (const other of ["selector", "notSelector", "namespaceSelector", "nets", "notNets", ...ports] as const)
    if (isWritten(entity.get(other))) entity.get(other)!.problem(`${other} beside services`, "services alone");
  if (entity.get("serviceAccounts") !== undefined)
    entity.get("serviceAccounts")!.problem("serviceAccounts beside services", "services alone");
  return { name, namespace };
}

function isWritten(cursor: Cursor | undefined): boolean {
  if (cursor === undefined) return false;
  return cursor.node.kind === "list"
    ? cursor.node.items.length > 0
    : cursor.node.kind !== "scalar" || cursor.node.value !== "";
}

function readIpVersion(cursor: Cursor | undefined): 4 | 6 | undefined {
  const value = cursor?.node.kind === "scalar" ? cursor.node.value : undefined;
  if (cursor === undefined || value === 4 || value === 6) return value as 4 | 6 | undefined;
  cursor.problem(`${quote(String(value ?? "that"))} is no IP version`, "4 or 6");
  return undefined;
}

function readIcmp(cursor: Cursor | undefined): IcmpMatch | undefined {
  const fields = cursor?.fields(["type", "code"]);
  if (fields === undefined) return undefined;
  const type = fields.get("type")?.integer(0, 254); // 255 is refused: a limit of the kernel's ICMP match
  const code = fields.get("code");
  if (code !== undefined && fields.get("type") === undefined)
    code.problem("an ICMP code without a type", "type beside it");
  return { type, code: code?.integer(0, 255) };
}

function checkIcmp(
  fields: Fields,
  protocol: ProtocolValue | undefined,
  notProtocol: ProtocolValue | undefined,
  version: 4 | 6 | undefined,
): void {
  const icmp = fields.get("icmp");
  if (icmp !== undefined && protocol?.name !== "ICMP" && protocol?.name !== "ICMPv6")
    icmp.problem("icmp without a protocol of that name", "protocol ICMP or ICMPv6 beside it");
  if (protocol?.name !== "ICMP" && protocol?.name !== "ICMPv6")
    fields
      .get("notICMP")
      ?.warning(
        "notICMP without protocol ICMP or ICMPv6 excepts ports, too: those whose low byte is its type",
        "protocol ICMP or ICMPv6 beside it",
      );
  for (const named of [protocol?.name, notProtocol?.name]) {
    const needed = named === "ICMP" ? 4 : named === "ICMPv6" ? 6 : undefined;
    if (needed !== undefined && version !== undefined && version !== needed)
      fields.get("ipVersion")?.problem(`${named} with IP version ${version}`, `ipVersion ${needed}`);
  }
}

const HTTP_LIST = 20;

function readHttp(cursor: Cursor | undefined): HttpMatch | undefined {
  const fields = cursor?.fields(["methods", "paths"]);
  if (fields === undefined) return undefined;
  const list = (field: "methods" | "paths") => {
    const items = fields.get(field)?.items("a list") ?? [];
    if (items.length > HTTP_LIST)
      fields.get(field)!.problem(`${items.length} ${field} in one rule`, `at most ${HTTP_LIST}`);
    return items;
  };
  const methods: string[] = [];
  for (const item of list("methods")) {
    const method = item.string("a method such as GET");
    if (method === undefined) continue;
    if (methods.includes(method)) item.problem(`${quote(method)} stands here twice`, "each method once");
    methods.push(method);
  }
  const paths: { exact: boolean; path: string }[] = [];
  for (const item of list("paths")) {
    const path = item.fields(["exact", "prefix"]);
    const exact = path?.get("exact")?.string("a path") ?? "";
    const prefix = path?.get("prefix")?.string("a path") ?? "";
    const text = exact === "" ? prefix : exact;
    if (exact !== "" && prefix !== "") item.problem("exact and prefix in one path", "one of them");
    else if (!text.startsWith("/") || /[? #]/.test(text))
      item.problem(`${quote(text)} is no path`, "exact or prefix, beginning with / and without ?, # or blanks");
    else if (text.length > 1024) item.problem(`a path of ${text.length} characters`, "at most 1024");
    else paths.push({ exact: exact !== "", path: text });
  }
  return { methods, paths };
}

function checkHttp(
  fields: Fields,
  action: string | undefined,
  protocol: ProtocolValue | undefined,
  direction: Direction,
): void {
  const http = fields.get("http");
  if (http === undefined) return;
  if (action !== undefined && action !== "Allow")
    http.problem(`http in a rule that says ${action}`, "http in an Allow rule");
  if (direction === "egress") http.problem("http in an egress rule", "http in ingress rules alone");
  if (fields.get("protocol") !== undefined && protocol?.name !== "TCP")
    http.problem("http with another protocol than TCP", "protocol TCP or none");
}

/** All blocks of a rule are of one family, and of the rule's IP version. */
function checkFamilies(nets: ReturnType<typeof readRuleNets>, version: 4 | 6 | undefined): void {
  const first = nets[0];
  for (const { net, at } of nets) {
    if (version !== undefined && net.v4 !== (version === 4))
      at.problem(`a block of IPv${net.v4 ? 4 : 6} in a rule for IPv${version}`, `a block of IPv${version}`);
    else if (net.v4 !== first!.net.v4) at.problem("IPv4 and IPv6 blocks in one rule", "a rule for each family");
  }
}
