/**
 * New cases out of the shared ones, finer than mix-cases.ts: any value of a policy may be replaced by another that stands under the same
 * key in a policy of the same kind, and any item of a list doubled. Documents that Weir refuses are left out. Without verdicts, for
 * bench/policy/oracle (cilium) and bench/policy/cyclonus/judge (kubernetes).
 *
 *   node bench/policy/cross-cases.ts PROFILE SEED COUNT CASES.jsonl…
 */
import { readFileSync } from "node:fs";
import { parse, stringify } from "yaml";
import { parsePolicies } from "../../policy/parse/policies.ts";
import { seededRandom } from "./seeded-random.ts";

type Json = { [key: string]: unknown };
type Flow = { readonly src: string; readonly dst: string; readonly proto: string; readonly port: number };

const [profile = "cilium", seedText = "1", countText = "100", ...files] = process.argv.slice(2);
const { random, pick, whole } = seededRandom(Number(seedText));
/** How often a value is replaced. */
const RATE = 0.04;

const cases = files.flatMap((file) =>
  readFileSync(file, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Json),
);
const documents = cases
  .flatMap(({ policies }) => (Array.isArray(policies) ? (policies as string[]) : String(policies).split("\n---\n")))
  .map((text) => parse(text) as Json | null)
  .filter((document) => document !== null);
const known = cases.flatMap(({ flows }) => flows as Flow[]);
const outside = [...new Set(known.flatMap(({ src, dst }) => [src, dst]).filter((end) => /^(?:ip|entity):/.test(end)))];

/** Every value of the cases' policies, by kind and key. */
const values = new Map<string, unknown[]>();
for (const document of documents)
  walk(bodyOf(document), familyOf(document), (holder, key, place) => {
    const list = values.get(place);
    if (list === undefined) values.set(place, [holder[key]]);
    else list.push(holder[key]);
  });

for (let number = 0; number < Number(countText); number++) {
  const world = pick(cases);
  const namespaces = (world["namespaces"] as { name: string }[]).map(({ name }) => name);
  const pods = (world["pods"] as { namespace: string; name: string }[]).map((pod) => `${pod.namespace}/${pod.name}`);
  const policies = Array.from({ length: whole(1, 6) }, (_, at) =>
    stringify(crossed(structuredClone(pick(documents)), at, pick(namespaces))),
  ).filter((text) => parsePolicies(text, "").problems.every(({ severity }) => severity !== "error"));
  const flows = Array.from({ length: 64 }, () => ({
    ...pick(known),
    src: pick(random() < 0.2 ? outside : pods),
    dst: pick(random() < 0.2 ? outside : pods),
  })).filter(({ src, dst }) => src !== dst && (src.includes("/") || dst.includes("/")));
  const { config, nodes, dns, cidrGroups } = world;
  const rest = { config, nodes, dns, cidrGroups, namespaces: world["namespaces"], pods: world["pods"] };
  const id = `cross-${profile}-${seedText}-${number}`;
  process.stdout.write(`${JSON.stringify({ ...rest, id, profile, policies, flows })}\n`);
}

function crossed(document: Json, at: number, namespace: string): Json {
  const metadata = document["metadata"] as Json;
  if (document["kind"] !== "BaselineAdminNetworkPolicy") metadata["name"] = `x${at}`;
  if ("namespace" in metadata) metadata["namespace"] = namespace;
  walk(bodyOf(document), familyOf(document), (holder, key, place) => {
    if (random() < RATE) holder[key] = structuredClone(pick(values.get(place)!));
    if (Array.isArray(holder) && random() < RATE / 2) holder.push(structuredClone(holder[Number(key)]));
  });
  return document;
}

function bodyOf(document: Json): unknown {
  return document["spec"] ?? document["specs"];
}

/** Cilium's kinds share their rules. */
function familyOf({ kind }: Json): string {
  return String(kind).startsWith("Cilium") ? "Cilium" : String(kind);
}

/** Each value with where it stands: the kind and the key, `key[]` for items, the label's own key within matchLabels. */
function walk(node: unknown, path: string, visit: (holder: Json, key: string, place: string) => void): void {
  if (typeof node !== "object" || node === null) return;
  const holder = node as Json; // lists are read by index, too
  const family = path.split(" ")[0]!;
  for (const key of Object.keys(holder)) {
    const last = path.slice(path.lastIndexOf(" ") + 1);
    const place = Array.isArray(node)
      ? `${family} ${last}[]`
      : `${family} ${last === "matchLabels" ? "label:" : ""}${key}`;
    visit(holder, key, place);
    walk(holder[key], place, visit);
  }
}
