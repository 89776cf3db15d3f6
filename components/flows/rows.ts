import type { Flow, FlowEnd } from "../../model/flow.ts";

/** A row's name in the URL: its id and its time in ms, without which the store could not find it quickly. */
export function rowName(flow: Flow): string {
  return `${flow.rowId}@${Date.parse(flow.time)}`;
}

/** The parts of a row's name; undefined when it is none. */
export function parseRowName(name: string): { readonly rowId: string; readonly at: number } | undefined {
  const split = name.lastIndexOf("@");
  const at = Number(name.slice(split + 1));
  return split <= 0 || !Number.isSafeInteger(at) || at <= 0 ? undefined : { rowId: name.slice(0, split), at };
}

/** Live and stored rows as one list, newest first; a row that came both ways is there once. */
export function mergeRows(live: readonly Flow[], stored: readonly Flow[]): readonly Flow[] {
  if (live.length === 0) return stored;
  const seen = new Set(live.map((flow) => flow.rowId));
  // ISO times with nanoseconds sort as text.
  return [...live, ...stored.filter((flow) => !seen.has(flow.rowId))].toSorted((a, b) =>
    a.time < b.time ? 1 : a.time > b.time ? -1 : 0,
  );
}

export interface FoldedRows {
  readonly rows: readonly Flow[];
  /** Ids of rows whose other end reported the same. */
  readonly bothEnds: ReadonlySet<string>;
}

/** Both ends of a connection report within this time of each other. */
const TWIN_MS = 2_000;

/**
 * One row for what both ends of a connection reported alike: the client's stays, the server's goes. `flows` newest first.
 * Nothing is lost: the connection's panel shows every report.
 */
export function foldTwins(flows: readonly Flow[]): FoldedRows {
  const rows: Flow[] = [];
  const bothEnds = new Set<string>();
  const open = new Map<string, number>();
  for (const flow of flows) {
    if (flow.kind === "drop" || flow.kind === "verdict" || (flow.reporter !== "client" && flow.reporter !== "server")) {
      rows.push(flow);
      continue;
    }
    const key = `${flow.kind} ${flow.protocol} ${address(flow.source)} ${address(flow.destination)} ${flow.opened}`;
    const at = open.get(key);
    const twin = at === undefined ? undefined : rows[at]!;
    if (
      twin === undefined ||
      twin.reporter === flow.reporter ||
      Math.abs(Date.parse(twin.time) - Date.parse(flow.time)) > TWIN_MS
    ) {
      open.set(key, rows.length);
      rows.push(flow);
      continue;
    }
    open.delete(key);
    const kept = flow.reporter === "client" ? flow : twin;
    rows[at!] = kept;
    bothEnds.add(kept.rowId);
  }
  return { rows, bothEnds };
}

function address(end: FlowEnd): string {
  return `${end.address} ${end.port}`;
}
