import { decisionText } from "../policy/explain/tiered.ts";
import { PROTOCOL_NUMBERS, type FlowQuestion } from "../policy/engine.ts";
import { compilePolicies } from "../policy/profiles.ts";
import { endText, worldOfTuples, type TupleSet } from "../policy/tuples.ts";
import { ruleLabel, type Direction, type Verdict } from "../policy/verdict.ts";
import type { Family, Profile, Side, WorldConfig } from "../policy/world.ts";
import { familyOf, WorldIndex } from "../policy/world-index.ts";
import {
  InputRefused,
  printable,
  profileOf,
  readPolicies,
  readTuples,
  type TupleSource,
  type Write,
} from "./policy-input.ts";

export interface PolicyExplainOptions {
  readonly policies: readonly string[];
  /** Who exists. */
  readonly tuples: TupleSource;
  /** `web`, `shop/web`, `app=web`, an address, or `entity:host`. */
  readonly from: string;
  readonly to: string;
  /** A number, or the name that the destination gives it. */
  readonly port: number | string;
  /** Default TCP. */
  readonly protocol?: string;
  /** IP version; default: what an address says, else each on which the answer is another. */
  readonly family?: Family;
  readonly profile?: Profile;
  readonly config?: WorldConfig;
}

/**
 * `weir policy explain --from web --to db --port 5432`: the verdict of both directions with the line that decides. 0 allowed, 1 denied
 * (where IP versions differ: denied over either).
 */
export async function policyExplain(options: PolicyExplainOptions, write: Write): Promise<number> {
  const { documents, problems } = await readPolicies(options.policies);
  for (const problem of problems)
    if (problem.severity === "error")
      write(printable(`${problem.file}:${problem.line}:${problem.column}: left out: ${problem.message}`));
  const tuples = await readTuples(options.tuples);
  const world = new WorldIndex(worldOfTuples(tuples, options.config));
  const set = compilePolicies(documents, world, profileOf(documents, options.profile));
  const protocolName = options.protocol ?? "TCP";
  const protocol = PROTOCOL_NUMBERS.get(protocolName) ?? Number(protocolName);
  if (!Number.isInteger(protocol))
    throw new InputRefused({
      code: "protocol",
      what: `protocol ${JSON.stringify(protocolName)} is not known`,
      expected: [...PROTOCOL_NUMBERS.keys()].join(", "),
    });
  const source = sideOf(options.from, tuples, world);
  const destination = sideOf(options.to, tuples, world);
  const port = portOf(options.port, protocolName, destination, world);
  const family = options.family ?? source.family ?? destination.family;
  const judged = (family === undefined ? ([4, 6] as const) : [family]).map((of) => {
    const ends = { source: world.ofFamily(source.id, of), destination: world.ofFamily(destination.id, of) };
    const question = { ...ends, protocol, port };
    return { of, question, verdict: set.explain(question) };
  });
  const [first, other] = judged;
  const differ = other !== undefined && !isSameAnswer(first!.verdict, other.verdict);
  const flow = `${source.text} → ${destination.text} ${protocolName} ${port}`;
  for (const { of, question, verdict } of differ ? judged : judged.slice(0, 1)) {
    const version = differ || options.family !== undefined ? ` over IPv${of}` : "";
    write(printable(`${flow}${version}: ${verdict.verdict === "allow" ? "allowed" : "denied"}`));
    writeVerdict(set, question, verdict, write);
  }
  return judged.every(({ verdict }) => verdict.verdict === "allow") ? 0 : 1;
}

/** The number of a port; a name is the destination's. Throws InputRefused with the names that it has. */
function portOf(port: number | string, protocol: string, destination: NamedSide, world: WorldIndex): number {
  if (typeof port === "number") return port;
  const side = world.side(destination.id);
  const ports = side.kind === "endpoint" ? side.endpoint.ports : [];
  const found = ports.find((it) => it.name === port && it.protocol === protocol);
  if (found !== undefined) return found.port;
  throw new InputRefused({
    code: "port-unknown",
    where: "--port",
    what: `${destination.text} has no ${protocol} port called ${JSON.stringify(port)}`,
    expected: ports.map((it) => `${it.name} (${it.protocol} ${it.port})`).join(", ") || "a number: it names no ports",
  });
}

/** Two decisions by the same rules with the same end. */
function isSameAnswer(a: Verdict, b: Verdict): boolean {
  const key = ({ egress, ingress }: Verdict) => JSON.stringify([egress, ingress]);
  return key(a) === key(b);
}

function writeVerdict(
  set: ReturnType<typeof compilePolicies>,
  question: FlowQuestion,
  verdict: Verdict,
  write: Write,
): void {
  for (const direction of ["egress", "ingress"] as const) {
    const { verdict: of, decidedBy, path, l7, auth } = verdict[direction];
    const also = `${l7 ? ", a proxy judges its requests" : ""}${auth === false ? "" : `, authentication ${auth}`}`;
    write(printable(`  ${direction}: ${of === "allow" ? "allowed" : "denied"}${also} – ${decisionText(decidedBy)}`));
    if (path.length > 1) for (const step of path) write(printable(`    ${step.label} ${step.action}`));
    if (of === "deny") for (const line of misses(set, direction, question)) write(printable(line));
  }
}

function misses(set: ReturnType<typeof compilePolicies>, direction: Direction, question: FlowQuestion): string[] {
  return set
    .nearestMisses(direction, question)
    .map(
      ({ rule, lacks }) =>
        `    ${ruleLabel(rule)} (${rule.file}:${rule.line}) would allow it but for ${lacks.join(" and ")}`,
    );
}

/** An end of the question; an address says the IP version. */
interface NamedSide {
  readonly id: number;
  readonly text: string;
  readonly family?: Family | undefined;
}

/** The side that a person names. Throws InputRefused with the likely names when nobody or several are meant. */
function sideOf(name: string, tuples: TupleSet, world: WorldIndex): NamedSide {
  const known = (side: Side, text: string): NamedSide | undefined => {
    const id = world.idOf(side);
    if (id === undefined) return undefined;
    return { id, text, family: side.kind === "address" ? familyOf(side.address) : undefined };
  };
  if (name.startsWith("entity:")) return known({ kind: "entity", entity: name.slice(7) }, name.slice(7))!;
  const address = known({ kind: "address", address: name }, name);
  if (address !== undefined) return address;
  const outside = addressNamed(name, tuples);
  if (outside !== undefined) return known({ kind: "address", address: outside }, `${name} (${outside})`)!;
  const pods = tuples.identities.filter((identity) => identity.entity === undefined);
  const identities = new Map(tuples.identities.map((identity) => [identity.id, identity]));
  const text = (id: string) => endText({ kind: "identity", id }, identities);
  const wanted = new Map(
    name.includes("=")
      ? name.split(",").map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)])
      : [],
  );
  const found = pods.filter((it) =>
    wanted.size > 0
      ? [...wanted].every(([key, value]) => it.labels.get(key) === value)
      : it.id === name || it.workload === name || `${it.namespace}/${it.workload}` === name,
  );
  const first = found[0];
  if (first === undefined || (found.length > 1 && new Set(found.map((it) => text(it.id))).size > 1)) {
    const names = (found.length > 1 ? found : pods).slice(0, 8).map((it) => text(it.id));
    throw new InputRefused({
      code: "side-unknown",
      what:
        found.length > 1
          ? `${JSON.stringify(name)} is several: ${names.join(", ")}`
          : `nobody is called ${JSON.stringify(name)}`,
      expected: "namespace/workload, labels such as app=web, an address, a name that was looked up, or entity:host",
      ...(found.length > 1 ? {} : { next: `known here: ${names.join(", ") || "nobody"}` }),
    });
  }
  return { id: pods.indexOf(first), text: text(first.id) };
}

/** An address that traffic went to under a name, or that the name was looked up as. */
function addressNamed(name: string, tuples: TupleSet): string | undefined {
  for (const { source, destination } of tuples.tuples)
    for (const end of [destination, source])
      if (end.kind === "address" && (end.name === name || end.called === name)) return end.address;
  return tuples.names.find((looked) => looked.name === name)?.addresses[0];
}
