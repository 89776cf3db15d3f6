import { WeirError } from "../../model/errors.ts";
import { PROTOCOL_NUMBERS } from "../engine.ts";
import { PROFILES, type Profile, type Side, type World, type WorldConfig } from "../world.ts";

/**
 * The case format of `weir policy verify`: one JSON object a line with a world, policies and flows whose verdicts a reference
 * engine gave (docs/policy.md). Unknown fields are left alone: other generators may add some.
 */
export interface PolicyCase {
  readonly id: string;
  readonly profile: Profile;
  readonly world: World;
  /** YAML. */
  readonly policies: string;
  readonly flows: readonly CaseFlow[];
}

export interface CaseFlow {
  readonly text: string;
  readonly source: Side;
  readonly destination: Side;
  readonly protocol: number;
  readonly port: number;
  readonly sourcePort: number;
  readonly icmpCode: number;
  readonly expected: ExpectedVerdict;
}

export interface ExpectedVerdict {
  readonly verdict: string;
  readonly egress: string;
  readonly ingress: string;
  readonly egressL7: boolean;
  readonly ingressL7: boolean;
  /** `egress:spire ingress:test-always-fail`; "" for none. */
  readonly auth: string;
  readonly egressBy: readonly string[];
  readonly ingressBy: readonly string[];
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };

/** The case of one line. Throws CaseRefused when the line is no case. */
export function parseCase(line: string, where: string): PolicyCase {
  let raw: Json;
  try {
    raw = JSON.parse(line) as Json;
  } catch (cause) {
    throw new CaseRefused({
      code: "case-not-json",
      what: "the line is no JSON",
      where,
      expected: "one JSON object a line",
      cause,
    });
  }
  if (!isObject(raw) || !Array.isArray(raw["flows"]) || !Array.isArray(raw["pods"]))
    throw new CaseRefused({
      code: "case-incomplete",
      what: "the line has no pods or no flows",
      where,
      expected: "the case format of docs/policy.md",
    });
  const profile = PROFILES.find((known) => known === raw["profile"]) ?? "kubernetes";
  const world = readWorld(raw);
  const byName = new Map(world.endpoints.map((endpoint, index) => [`${endpoint.namespace}/${endpoint.name}`, index]));
  const policies = raw["policies"];
  const flows = raw["flows"].filter(isObject).map((flow) => readFlow(flow, byName, where));
  return {
    id: text(raw["id"]) || where,
    profile,
    world,
    policies: Array.isArray(policies) ? policies.map(text).join("\n---\n") : text(policies ?? ""),
    flows,
  };
}

export class CaseRefused extends WeirError {}

function readWorld(raw: JsonObject): World {
  const config = isObject(raw["config"] ?? null) ? (raw["config"] as WorldConfig) : {};
  return {
    namespaces: objects(raw["namespaces"]).map((it) => ({ name: text(it["name"]), labels: labels(it["labels"]) })),
    endpoints: objects(raw["pods"]).map((it) => ({
      namespace: text(it["namespace"]),
      name: text(it["name"]),
      labels: labels(it["labels"]),
      addresses: it["ip"] === undefined ? strings(it["ips"]) : [text(it["ip"]), ...strings(it["ips"])],
      serviceAccount: text(it["serviceAccount"]) || "default",
      hostNetwork: it["hostNetwork"] === true,
      ports: objects(it["ports"]).map((port) => ({
        name: text(port["name"]),
        port: Number(port["port"]),
        protocol: text(port["protocol"]) || "TCP",
      })),
    })),
    nodes: objects(raw["nodes"]).map((it) => ({
      name: text(it["name"]),
      addresses: [text(it["ip"])],
      labels: labels(it["labels"]),
      local: it["local"] === true,
      kubeApiserver: it["kubeApiserver"] === true,
      outOfCluster: it["outOfCluster"] === true,
    })),
    dnsNames: objects(raw["dns"]).map((it) => ({ name: text(it["name"]), addresses: strings(it["ips"]) })),
    cidrGroups: objects(raw["cidrGroups"]).map((it) => ({
      name: text(it["name"]),
      labels: labels(it["labels"]),
      cidrs: strings(it["cidrs"]),
    })),
    services: [],
    serviceAccounts: objects(raw["serviceAccounts"]).map((it) => ({
      namespace: text(it["namespace"]),
      name: text(it["name"]),
      labels: labels(it["labels"]),
    })),
    config,
  };
}

function readFlow(flow: JsonObject, byName: ReadonlyMap<string, number>, where: string): CaseFlow {
  const proto = text(flow["proto"]);
  const port = Number(flow["port"] ?? 0);
  const number = PROTOCOL_NUMBERS.get(proto) ?? Number(proto);
  const summary = `${text(flow["src"])} → ${text(flow["dst"])} ${proto} ${port}`;
  if (!Number.isInteger(number))
    throw new CaseRefused({ code: "case-protocol", what: `protocol ${JSON.stringify(proto)} is not known`, where });
  return {
    text: summary,
    source: readSide(text(flow["src"]), byName, where),
    destination: readSide(text(flow["dst"]), byName, where),
    protocol: number,
    port,
    sourcePort: Number(flow["srcPort"] ?? 40000),
    icmpCode: Number(flow["icmpCode"] ?? 0),
    expected: {
      verdict: text(flow["verdict"]),
      egress: text(flow["egress"]),
      ingress: text(flow["ingress"]),
      egressL7: flow["egressL7"] === true,
      ingressL7: flow["ingressL7"] === true,
      auth: text(flow["auth"]),
      egressBy: strings(flow["egressBy"]),
      ingressBy: strings(flow["ingressBy"]),
    },
  };
}

function readSide(name: string, byName: ReadonlyMap<string, number>, where: string): Side {
  if (name.startsWith("ip:")) return { kind: "address", address: name.slice(3) };
  if (name.startsWith("entity:")) return { kind: "entity", entity: name.slice(7) };
  const index = byName.get(name);
  if (index === undefined)
    throw new CaseRefused({ code: "case-side", what: `no pod is called ${JSON.stringify(name)}`, where });
  return { kind: "endpoint", index };
}

function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function objects(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
function text(value: Json | undefined): string {
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : "";
}
function strings(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.map(text) : [];
}
function labels(value: Json | undefined): Map<string, string> {
  return new Map(
    value !== undefined && isObject(value) ? Object.entries(value).map(([key, it]) => [key, text(it)]) : [],
  );
}
