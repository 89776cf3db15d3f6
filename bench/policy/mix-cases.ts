/**
 * New cases out of the shared ones: the pods of one with policies of several others, and flows between all pods, without verdicts. For
 * bench/policy/oracle, which asks Cilium itself. node bench/policy/mix-cases.ts SEED COUNT [case files…] > cases.jsonl
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";

type Json = { [key: string]: unknown };
const [seedText = "1", countText = "100", ...given] = process.argv.slice(2);
const shared = join(import.meta.dirname, "../../../shared/cases/policy");
const files =
  given.length > 0 ? given : ["cilium.jsonl", "cluster-network-policy.jsonl"].map((name) => join(shared, name));

let state = Number(seedText) | 0 || 1;
function random(): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) / 4294967296;
}
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;

const cases = files.flatMap((file) =>
  readFileSync(file, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Json),
);
const texts = cases.flatMap((it) =>
  Array.isArray(it["policies"]) ? (it["policies"] as string[]) : String(it["policies"]).split("\n---\n"),
);
const documents = texts.map((text) => parse(text) as Json | null).filter((document) => document !== null);

for (let number = 0; number < Number(countText); number++) {
  const world = pick(cases);
  const namespaces = (world["namespaces"] as { name: string }[]).map(({ name }) => name);
  const pods = (world["pods"] as { namespace: string; name: string }[]).map(
    ({ namespace, name }) => `${namespace}/${name}`,
  );
  const chosen = Array.from({ length: 2 + Math.floor(random() * 5) }, (_, i) =>
    mixed(structuredClone(pick(documents)), i, namespaces),
  );
  // Cilium does not take authentication beside rules that pass: either of them in a case.
  const ordered = chosen.some((document) => document["kind"] === "ClusterNetworkPolicy");
  for (const document of chosen) for (const rule of ciliumRules(document)) authenticate(rule, ordered);
  const flows = Array.from({ length: 60 }, () => flow(pods)).filter(({ src, dst }) => src !== dst);
  const kept = Object.fromEntries(
    ["config", "namespaces", "pods", "nodes", "dns", "cidrGroups"].flatMap((key) =>
      key in world ? [[key, world[key]]] : [],
    ),
  );
  const policies = chosen
    .map((document) => stringify(document))
    .join("---\n")
    .replaceAll("\n---\n", "\n\n---\n");
  process.stdout.write(
    `${JSON.stringify({ ...kept, id: `mix-${seedText}-${number}`, profile: "cilium", policies, flows })}\n`,
  );
}

function mixed(document: Json, at: number, namespaces: readonly string[]): Json {
  const metadata = document["metadata"] as Json;
  metadata["name"] = `m${at}`;
  if ("namespace" in metadata) metadata["namespace"] = pick(namespaces);
  if (document["kind"] === "ClusterNetworkPolicy")
    (document["spec"] as Json)["priority"] = at * 3 + Math.floor(random() * 3);
  return document;
}

function ciliumRules(document: Json): Json[] {
  if (!String(document["kind"]).startsWith("Cilium")) return [];
  const specs = [document["spec"], ...((document["specs"] as unknown[] | undefined) ?? [])].filter(
    (spec) => spec !== undefined,
  ) as Json[];
  return specs.flatMap((spec) =>
    ["ingress", "egress"].flatMap((field) =>
      ((spec[field] as (Json | null)[] | null | undefined) ?? []).filter((rule) => rule !== null),
    ),
  );
}

function authenticate(rule: Json, ordered: boolean): void {
  if (ordered) delete rule["authentication"];
  else if (random() < 0.35) rule["authentication"] = { mode: pick(["required", "disabled", "test-always-fail"]) };
}

function flow(pods: readonly string[]): { src: string; dst: string; proto: string; port: number } {
  const proto = pick(["TCP", "TCP", "UDP", "SCTP", "ICMP", "ICMPv6"]);
  const ports = proto.startsWith("ICMP")
    ? [1, 3, 4, 5, 8, 11, 128, 135]
    : [1, 2, 53, 79, 80, 81, 106, 443, 3868, 8000, 8001, 8080, 8999, 9000, 9090, 9100, 54000, 58000];
  return { src: pick(pods), dst: pick(pods), proto, port: pick(ports) };
}
