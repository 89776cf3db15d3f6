import type { Passage, Toward } from "../../model/flow.ts";
import type { DropCause, FailedEdge } from "../../model/wire/answers/drops.ts";
import type { Named } from "../../model/wire/answers/parts.ts";

/** Where packets of a cause died. */
export interface Place {
  readonly location: string;
  /** Which hook, tc or queue decided; "" = the kernel does not tell. */
  readonly hook: string;
  readonly passage: Passage;
  readonly toward: Toward;
  readonly node: string;
  readonly device: string;
  readonly drops: number;
}

/** A line of the table of causes: one reason on one edge and port, over all nodes, devices and functions. */
export interface CauseLine {
  readonly key: string;
  readonly reason: string;
  /** The function, where the reason says nothing without it (NOT_SPECIFIED); "" else. */
  readonly at: string;
  readonly denied: boolean;
  readonly source: Named;
  readonly destination: Named;
  readonly port: number;
  readonly protocol: number;
  readonly drops: number;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly spark: readonly number[];
  /** Most packets first. */
  readonly places: readonly Place[];
}

/** What is selected: a reason, a cause (reason and edge), or the failures of an edge. Its key stands in the URL. */
export type Selection =
  | { readonly kind: "reason"; readonly reason: string }
  | { readonly kind: "cause"; readonly key: string }
  | { readonly kind: "failure"; readonly key: string };

export function selectionKey(selection: Selection): string {
  return selection.kind === "reason" ? `reason/${selection.reason}` : selection.key;
}

/** The selection that a key of the URL names, or undefined. */
export function parseSelection(key: string | null): Selection | undefined {
  if (key === null) return undefined;
  if (key.startsWith("reason/")) return { kind: "reason", reason: key.slice("reason/".length) };
  if (key.startsWith("cause/")) return { kind: "cause", key };
  return key.startsWith("failure/") ? { kind: "failure", key } : undefined;
}

type OnEdge = Pick<FailedEdge, "source" | "destination" | "port" | "protocol" | "reason">;

export function failureKey(edge: OnEdge): string {
  return `failure/${edge.source.id}/${edge.destination.id}/${edge.port}/${edge.protocol}/${edge.reason}`;
}

export function causeKey(cause: OnEdge & { readonly location: string }): string {
  const at = functionThatMatters(cause);
  return `cause/${cause.source.id}/${cause.destination.id}/${cause.port}/${cause.protocol}/${cause.reason}${at === "" ? "" : `@${at}`}`;
}

/** Drops without a reason of their own are told apart by the function alone. */
function functionThatMatters({ reason, location }: { readonly reason: string; readonly location: string }): string {
  return reason === "NOT_SPECIFIED" ? location : "";
}

/** The answer's rows, which are by node, device and function, as lines by reason and edge; most packets first. */
export function causeLines(causes: readonly DropCause[]): readonly CauseLine[] {
  const lines = new Map<string, CauseLine>();
  for (const cause of causes) {
    const key = causeKey(cause);
    const { location, hook, passage, toward, node, device, drops } = cause;
    const place: Place = { location, hook, passage, toward, node, device, drops };
    const old = lines.get(key);
    lines.set(
      key,
      old === undefined
        ? {
            key,
            reason: cause.reason,
            at: functionThatMatters(cause),
            denied: cause.verdict === "denied",
            source: cause.source,
            destination: cause.destination,
            port: cause.port,
            protocol: cause.protocol,
            drops: cause.drops,
            firstSeen: cause.firstSeen,
            lastSeen: cause.lastSeen,
            spark: cause.spark,
            places: [place],
          }
        : {
            ...old,
            denied: old.denied || cause.verdict === "denied",
            drops: old.drops + cause.drops,
            firstSeen: Math.min(old.firstSeen, cause.firstSeen),
            lastSeen: Math.max(old.lastSeen, cause.lastSeen),
            spark: old.spark.map((value, index) => value + (cause.spark[index] ?? 0)),
            places: [...old.places, place],
          },
    );
  }
  return [...lines.values()]
    .map((line) => ({ ...line, places: line.places.toSorted((a, b) => b.drops - a.drops) }))
    .toSorted((a, b) => b.drops - a.drops);
}

/** Functions of a line, most packets first, each once. */
export function functionsOf(line: CauseLine): readonly string[] {
  return [...new Set(line.places.map((place) => place.location).filter((location) => location !== ""))];
}

/** Which packets died, in plain words: `packets to the server, coming in`. "" where neither is known. */
export function directionWords({ toward, passage }: Pick<Place, "toward" | "passage">): string {
  const to = toward === "unknown" ? "" : `packets to the ${toward}`;
  const how = passage === "unknown" ? "" : PASSAGE_WORDS[passage];
  if (to === "") return how === "" ? "" : `packets ${how}`;
  return how === "" ? to : `${to}, ${how}`;
}

const PASSAGE_WORDS: Readonly<Record<Exclude<Passage, "unknown">, string>> = {
  in: "coming in at the device",
  forward: "being passed on by this host",
  out: "going out by the device",
};
