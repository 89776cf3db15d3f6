import { quote, type Cursor, type Fields } from "./reader.ts";
import { ICMP4_TYPES, ICMP6_TYPES } from "./icmp-types.ts";

/** Ports with what a proxy is to judge on them. */
export interface CiliumPortRule {
  readonly ports: readonly CiliumPort[];
  readonly l7: CiliumL7 | undefined;
}
export interface CiliumPort {
  readonly protocol: "TCP" | "UDP" | "SCTP" | "ICMP" | "ICMPv6" | "ANY" | "other";
  /** A number (0 = every port of the protocol), or a name in lower case. For ICMP the type. */
  readonly port: number | string;
  readonly endPort: number | undefined;
}
export interface CiliumL7 {
  readonly parser: "http" | "dns" | "tls" | "crd";
  /** A listener's own priority (1 first … 126 last), where given. */
  readonly priority: number | undefined;
  readonly http: readonly HttpMatch[];
  readonly dns: readonly string[];
}
export interface HttpMatch {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly host: string | undefined;
}

const MAX_PORTS = 40;
const PORT_PROTOCOLS = [
  "TCP",
  "UDP",
  "SCTP",
  "ANY",
  "ICMP",
  "ICMPv6",
  "VRRP",
  "IGMP",
  "GRE",
  "IPIP",
  "IPV6",
  "ESP",
  "AH",
] as const;

/** toPorts or icmps of a rule; undefined when neither is given or both are empty. */
export function readCiliumPorts(
  fields: Fields,
  rule: { deny: boolean; egress: boolean; onHost: boolean },
): readonly CiliumPortRule[] | undefined {
  const toPorts = fields.get("toPorts")?.items("a list of port rules") ?? [];
  const icmps = fields.get("icmps")?.items("a list of ICMP rules") ?? [];
  if (toPorts.length > 0 && icmps.length > 0)
    fields.get("icmps")!.problem("toPorts and icmps in one rule", "one of them a rule; write two rules");
  if (toPorts.length + icmps.length === 0) return undefined;
  return [
    ...toPorts.flatMap((item) => readPortRule(item, rule) ?? []),
    ...icmps.flatMap((item) => readIcmpRule(item) ?? []),
  ];
}

function readPortRule(
  item: Cursor,
  rule: { deny: boolean; egress: boolean; onHost: boolean },
): CiliumPortRule | undefined {
  const known = rule.deny
    ? ["ports"]
    : ["ports", "rules", "terminatingTLS", "originatingTLS", "serverNames", "listener"];
  const fields = item.fields(known);
  if (fields === undefined) return undefined;
  const list = fields.get("ports")?.items("a list of ports") ?? [];
  if (list.length > MAX_PORTS) fields.get("ports")!.problem(`${list.length} ports in one rule`, `at most ${MAX_PORTS}`);
  const ports = list.flatMap((port) => readPort(port) ?? []);
  return { ports, l7: rule.deny ? undefined : readL7(fields, ports, rule) };
}

function readPort(item: Cursor): CiliumPort | undefined {
  const fields = item.fields(["port", "endPort", "protocol"]);
  if (fields === undefined) return undefined;
  const protocolField = fields.get("protocol");
  const protocolText = protocolField?.string("a protocol")?.toUpperCase() ?? "ANY";
  const protocol = PORT_PROTOCOLS.find((known) => known.toUpperCase() === protocolText);
  if (protocol === undefined)
    protocolField?.problem(`${quote(protocolText)} is no protocol`, PORT_PROTOCOLS.join(", "));
  const portField = fields.need("port", "a port in quotes, or a port's name");
  const text = portField?.string("a port in quotes, or a port's name");
  if (protocol === undefined || portField === undefined || text === undefined) return undefined;
  const port = parsePort(text);
  if (port === undefined) portField.problem(`${quote(text)} is no port`, "0–65535, or a port's name such as http");
  const endPort = fields.get("endPort")?.integer(0, 65535);
  if (port === undefined) return undefined;
  if (endPort !== undefined && endPort > 0 && typeof port === "number" && endPort < port)
    fields.get("endPort")!.problem(`endPort ${endPort} is below port ${port}`, `${port}–65535`);
  const kept =
    protocol === "TCP" ||
    protocol === "UDP" ||
    protocol === "SCTP" ||
    protocol === "ANY" ||
    protocol === "ICMP" ||
    protocol === "ICMPv6";
  return { protocol: kept ? protocol : "other", port, endPort: endPort === 0 ? undefined : endPort };
}

/** A number as Go's ParseUint(…, 0, 16) takes it when it is no service name (a letter in it makes a name: 0x10 is one). */
function parsePort(text: string): number | string | undefined {
  if (/^[A-Za-z0-9-]{1,15}$/.test(text) && /[A-Za-z]/.test(text) && !/^-|-$|--/.test(text)) return text.toLowerCase();
  if (!/^\d{1,6}$/.test(text)) return undefined;
  const port = text.length > 1 && text.startsWith("0") ? Number.parseInt(text, 8) : Number(text);
  return port <= 65535 ? port : undefined;
}

function readL7(
  fields: Fields,
  ports: readonly CiliumPort[],
  rule: { egress: boolean; onHost: boolean },
): CiliumL7 | undefined {
  const rulesField = fields.get("rules");
  const rules = rulesField?.fields(["http", "dns", "kafka", "l7", "l7proto"]);
  rules?.get("kafka")?.problem("Kafka rules are not in Cilium 1.20 any more", "http or dns");
  if (rules?.has("l7") || rules?.has("l7proto"))
    rulesField?.problem("rules of a proxy extension cannot be evaluated here", "http or dns");
  const http = (rules?.get("http")?.items("a list of HTTP matches") ?? []).flatMap((match) => readHttp(match) ?? []);
  const dns = (rules?.get("dns")?.items("a list of names") ?? []).flatMap((match) => readDns(match) ?? []);
  if (http.length > 0 && dns.length > 0) rulesField?.problem("http and dns in one port rule", "one of them");
  if (http.length > 0 && ports.some((port) => port.protocol !== "TCP"))
    rulesField?.problem("http rules need TCP", "protocol: TCP on every port");
  if (dns.length > 0 && !rule.egress) rulesField?.problem("dns rules are for egress", "http, or an egress rule");
  if (dns.length + http.length > 0 && ports.some((port) => port.port === 0))
    rulesField?.problem("L7 rules need a port", "a port other than 0");
  if (dns.length > 0 && ports.length === 0) rulesField?.problem("dns rules need a port", 'port: "53"');
  if (http.length > 0 && rule.onHost) rulesField?.problem("http rules do not apply to nodes", "ports alone");
  const priority = fields.get("listener")?.fields()?.get("priority")?.integer(1, 100);
  const parsers = { priority, http, dns };
  if (fields.get("listener") !== undefined) return { parser: "crd", ...parsers };
  if (dns.length > 0) return { parser: "dns", ...parsers };
  if (http.length > 0) return { parser: "http", ...parsers };
  const names = fields.get("serverNames")?.items("a list of names") ?? [];
  if (names.length > 0 || fields.get("terminatingTLS") !== undefined || fields.get("originatingTLS") !== undefined)
    return { parser: "tls", ...parsers };
  return undefined;
}

function readHttp(item: Cursor): HttpMatch | undefined {
  if (item.isNull) return { method: undefined, path: undefined, host: undefined };
  const fields = item.fields(["method", "path", "host", "headers", "headerMatches"]);
  if (fields === undefined) return undefined;
  const [method, path, host] = ["method", "path", "host"].map((name) => readExpression(fields.get(name)));
  return { method, path, host };
}

/** An expression, checked only for being one; matching is bounded by whoever matches. */
function readExpression(cursor: Cursor | undefined): string | undefined {
  const text = cursor?.string("a regular expression");
  if (cursor === undefined || text === undefined) return undefined;
  try {
    new RegExp(text);
  } catch {
    cursor.problem(`${quote(text)} is no regular expression`, "an expression such as GET or /api/.*");
  }
  return text;
}

function readDns(item: Cursor): string | undefined {
  const fields = item.fields(["matchName", "matchPattern"]);
  return fields?.get("matchName")?.string("a name") ?? fields?.get("matchPattern")?.string("a pattern");
}

function readIcmpRule(item: Cursor): CiliumPortRule | undefined {
  const list = item.fields(["fields"])?.get("fields");
  const items = list?.items("a list of {family, type}") ?? [];
  if (items.length > MAX_PORTS) list?.problem(`${items.length} ICMP types in one rule`, `at most ${MAX_PORTS}`);
  return { ports: items.flatMap((field) => readIcmp(field) ?? []), l7: undefined };
}

function readIcmp(item: Cursor): CiliumPort | undefined {
  const fields = item.fields(["family", "type"]);
  const family = fields?.get("family")?.oneOf(["IPv4", "IPv6"] as const) ?? "IPv4";
  const types = family === "IPv6" ? ICMP6_TYPES : ICMP4_TYPES;
  const typeField = fields?.need("type", "0–255 or a type's name");
  const written = typeField?.integerOrString("0–255 or a type's name");
  if (typeField === undefined || written === undefined) return undefined;
  const type =
    typeof written === "number"
      ? written
      : (types.get(written) ?? (/^\d{1,3}$/.test(written) ? Number(written) : undefined));
  if (type === undefined || type < 0 || type > 255) {
    typeField.problem(
      `${quote(String(written))} is no type of ICMP for ${family}`,
      `0–255 or one of ${[...types.keys()].join(", ")}`,
    );
    return undefined;
  }
  return { protocol: family === "IPv6" ? "ICMPv6" : "ICMP", port: type, endPort: undefined };
}
