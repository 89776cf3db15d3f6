import { z } from "zod";
import { WeirError } from "../model/errors.ts";
import { PROTOCOL_NUMBERS } from "./engine.ts";
import { protocolName, type Tuple, type TupleEnd, type TupleIdentity, type TupleSet } from "./tuples.ts";

/**
 * The tuples file (docs/formats/tuples.md): JSON lines. First the header, then identities, namespaces and names, then tuples; an
 * identity stands before the tuples that refer to it. Lines of unknown kinds are skipped, so that later versions can add some.
 */
export const TUPLES_FORMAT = "weir-tuples/1";

export class TuplesRefused extends WeirError {}

const Header = z.object({
  format: z.literal(TUPLES_FORMAT),
  from: z.iso.datetime({ offset: true }),
  to: z.iso.datetime({ offset: true }),
  produced: z.number().nonnegative().default(0),
  lost: z.number().nonnegative().default(0),
  sharedOut: z.number().nonnegative().optional(),
});
const Labels = z.record(z.string(), z.string()).default({});
const Port = z.object({
  name: z.string(),
  port: z.number().int().min(1).max(65535),
  protocol: z.string().default("TCP"),
});
const Identity = z.object({
  id: z.string().min(1),
  namespace: z.string().default(""),
  workload: z.string().default(""),
  labels: Labels,
  addresses: z.array(z.string()).default([]),
  ports: z.array(Port).default([]),
  serviceAccount: z.string().default("default"),
  entity: z.string().optional(),
});
const End = z.union([
  z.object({ id: z.string() }),
  z.object({ address: z.string(), name: z.string().optional(), called: z.string().optional() }),
]);
const TupleLine = z.object({
  src: End,
  dst: End,
  protocol: z.union([z.string(), z.number().int().min(0).max(255)]),
  port: z.number().int().min(0).max(65535),
  family: z.union([z.literal(4), z.literal(6)]).optional(),
  connections: z.number().int().nonnegative().default(1),
  firstSeen: z.iso.datetime({ offset: true }).optional(),
  lastSeen: z.iso.datetime({ offset: true }).optional(),
  recorded: z.enum(["allowed", "denied"]).optional(),
  l7: z.string().optional(),
  sample: z.string().optional(),
});
const Line = z.object({
  identity: Identity.optional(),
  namespace: z.object({ name: z.string(), labels: Labels }).optional(),
  name: z.object({ name: z.string(), addresses: z.array(z.string()) }).optional(),
  tuple: TupleLine.optional(),
});

/** Takes a tuples file line by line. `finish` gives the set; both throw TuplesRefused with the line. */
export class TuplesReader {
  readonly #file: string;
  #number = 0;
  #header: z.infer<typeof Header> | undefined;
  readonly #identities: TupleIdentity[] = [];
  readonly #ids = new Set<string>();
  readonly #namespaces: { name: string; labels: ReadonlyMap<string, string> }[] = [];
  readonly #names: { name: string; addresses: string[] }[] = [];
  readonly #tuples: Tuple[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  line(text: string): void {
    this.#number++;
    if (text.trim() === "") return;
    let raw: unknown;
    try {
      raw = JSON.parse(text);
    } catch (cause) {
      throw this.#refuse("the line is no JSON", "one JSON object a line", cause);
    }
    if (this.#header === undefined) {
      const header = Header.safeParse(raw);
      if (!header.success)
        throw this.#refuse(
          "the first line is no header of a tuples file",
          `{"format": "${TUPLES_FORMAT}", "from": …, "to": …}`,
        );
      this.#header = header.data;
      return;
    }
    const parsed = Line.safeParse(raw);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      throw this.#refuse(
        `${issue?.path.join(".") ?? "the line"}: ${issue?.message ?? "not understood"}`,
        "the format of docs/formats/tuples.md",
      );
    }
    const { identity, namespace, name, tuple } = parsed.data;
    if (identity !== undefined) this.#identity(identity);
    if (namespace !== undefined)
      this.#namespaces.push({ name: namespace.name, labels: new Map(Object.entries(namespace.labels)) });
    if (name !== undefined) this.#names.push(name);
    if (tuple !== undefined) this.#tuple(tuple);
  }

  finish(): TupleSet {
    if (this.#header === undefined) throw this.#refuse("the file is empty", "a header and tuples");
    const { from, to, produced, lost, sharedOut } = this.#header;
    return {
      from: Date.parse(from),
      to: Date.parse(to),
      produced,
      lost,
      identities: this.#identities,
      namespaces: this.#namespaces,
      names: this.#names,
      tuples: this.#tuples,
      ...(sharedOut === undefined ? {} : { sharedOut }),
    };
  }

  #identity(identity: z.infer<typeof Identity>): void {
    if (this.#ids.has(identity.id))
      throw this.#refuse(`identity ${JSON.stringify(identity.id)} stands twice`, "each id once");
    this.#ids.add(identity.id);
    this.#identities.push({ ...identity, entity: identity.entity, labels: new Map(Object.entries(identity.labels)) });
  }

  #tuple(line: z.infer<typeof TupleLine>): void {
    const protocol =
      typeof line.protocol === "number"
        ? line.protocol
        : (PROTOCOL_NUMBERS.get(line.protocol) ?? Number(line.protocol));
    if (!Number.isInteger(protocol))
      throw this.#refuse(
        `protocol ${JSON.stringify(line.protocol)} is not known`,
        "TCP, UDP, SCTP, ICMP, ICMPv6 or a number",
      );
    this.#tuples.push({
      source: this.#end(line.src),
      destination: this.#end(line.dst),
      protocol,
      port: line.port,
      ...(line.family === undefined ? {} : { family: line.family }),
      connections: line.connections,
      firstSeen: Date.parse(line.firstSeen ?? this.#header!.from),
      lastSeen: Date.parse(line.lastSeen ?? this.#header!.to),
      recorded: line.recorded,
      l7: line.l7,
      sample: line.sample,
    });
  }

  #end(end: z.infer<typeof End>): TupleEnd {
    if ("address" in end)
      return {
        kind: "address",
        address: end.address,
        name: end.name,
        ...(end.called === undefined ? {} : { called: end.called }),
      };
    if (!this.#ids.has(end.id))
      throw this.#refuse(`identity ${JSON.stringify(end.id)} is not known`, "an identity line before it");
    return { kind: "identity", id: end.id };
  }

  #refuse(what: string, expected: string, cause?: unknown): TuplesRefused {
    return new TuplesRefused({ code: "tuples-refused", what, expected, where: `${this.#file}:${this.#number}`, cause });
  }
}

/** A set from a whole file's text. Throws TuplesRefused. */
export function parseTuples(text: string, file: string): TupleSet {
  const reader = new TuplesReader(file);
  for (const line of text.split("\n")) reader.line(line);
  return reader.finish();
}

/** The lines of a set's file, without line ends; `parseTuples` of them gives the set again. */
export function* formatTuples(set: TupleSet): Generator<string> {
  const time = (ms: number) => new Date(ms).toISOString();
  yield JSON.stringify({
    format: TUPLES_FORMAT,
    from: time(set.from),
    to: time(set.to),
    produced: set.produced,
    lost: set.lost,
    sharedOut: set.sharedOut,
  });
  for (const identity of set.identities)
    yield JSON.stringify({ identity: { ...identity, labels: Object.fromEntries(identity.labels) } });
  for (const { name, labels } of set.namespaces)
    yield JSON.stringify({ namespace: { name, labels: Object.fromEntries(labels) } });
  for (const name of set.names) yield JSON.stringify({ name });
  const end = (it: TupleEnd) =>
    it.kind === "identity" ? { id: it.id } : { address: it.address, name: it.name, called: it.called };
  for (const { source, destination, protocol, firstSeen, lastSeen, ...rest } of set.tuples)
    yield JSON.stringify({
      tuple: {
        src: end(source),
        dst: end(destination),
        protocol: protocolName(protocol).match(/^\d+$/) ? protocol : protocolName(protocol),
        ...rest,
        firstSeen: time(firstSeen),
        lastSeen: time(lastSeen),
      },
    });
}
