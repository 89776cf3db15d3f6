/**
 * More rows than a client would send in reasonable time: the engine copies the rows that are there, block by block, with other times,
 * ports and row ids. Roll-ups fill as they do for any insert. For bench/query.ts at 10^8 rows and more.
 */
import { z } from "zod";
import { FLOW_COLUMNS } from "../store/layout.ts";
import type { StoreWriter } from "../store/writer.ts";

/** A copy is moved by so many times its number, so that copies lie between each other's rows; a million copies are an hour. */
const SHIFT_MS = 3;

/** What differs between a row and its copy number {copy}; generation 1 is the original's. */
const CHANGED: Readonly<Partial<Record<(typeof FLOW_COLUMNS)[number]["name"], string>>> = {
  ts: `ts - toIntervalMillisecond({copy:UInt32} * ${SHIFT_MS})`,
  generation: "generation + {copy:UInt32}",
  src_port: "if(src_port < 32768, src_port, 32768 + (src_port - 32768 + {copy:UInt32} * 997) % 28000)",
  socket: "if(socket = 0, 0, socket + bitShiftLeft(toUInt64({copy:UInt32}), 40))",
};

const NAMES = FLOW_COLUMNS.map((column) => column.name);

const COPY_SQL = `
INSERT INTO flows (${NAMES.join(", ")})
SELECT ${NAMES.map((name) => CHANGED[name] ?? name).join(", ")}
FROM flows
WHERE generation = 1
  AND ts >= {from:DateTime64(3, 'UTC')} AND ts < {to:DateTime64(3, 'UTC')}
  AND indexHint(toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({from:DateTime64(3, 'UTC')}) AND toStartOfFiveMinutes(ts) <= toStartOfFiveMinutes({to:DateTime64(3, 'UTC')}))
SETTINGS insert_deduplicate = 0`;

/** Copies the rows between `from` and `until` (ms) until there are `rows` of them, oldest first. Returns rows there are then. */
export async function copyRows(
  writer: StoreWriter,
  { rows, from, until }: { readonly rows: number; readonly from: number; readonly until: number },
  signal: AbortSignal,
): Promise<number> {
  const count = async () =>
    (await writer.rows("SELECT count() AS n FROM flows", z.object({ n: z.coerce.number() }), {}, signal))[0]!.n;
  const originals = await count();
  if (originals === 0) return 0;
  const copies = Math.max(0, Math.round(rows / originals) - 1);
  // About as many rows an insert as the engine takes into one block.
  const stretches = Math.max(1, Math.ceil(originals / 800_000));
  const edge = (i: number) => from - 1000 + ((until - from + 60_000) * i) / stretches;
  for (let i = 0; i < stretches; i++) {
    const times = { from: textOf(edge(i)), to: textOf(edge(i + 1)) };
    for (let copy = 1; copy <= copies; copy++) await writer.command(filled(COPY_SQL, { ...times, copy }), signal);
  }
  return count();
}

/** A statement that answers nothing takes no parameters through the client: these are numbers and times of our own. */
function filled(sql: string, values: Readonly<Record<string, string | number>>): string {
  return sql.replace(/\{(\w+):([^}]*)\}/g, (_, name: string, type: string) => {
    const value = values[name]!;
    return typeof value === "number" ? `to${type}(${value})` : `toDateTime64('${value}', 3, 'UTC')`;
  });
}

function textOf(at: number): string {
  return new Date(at).toISOString().replace("T", " ").replace("Z", "");
}
