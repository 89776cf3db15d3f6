/** Everything that was reported of one connection, from one of its rows: both ends, and drops of its packets. Answered by flows. */
import type { z } from "zod";
import { milliseconds, type Milliseconds } from "../../model/time.ts";
import type { Flow } from "../../model/flow.ts";
import type { ConnectionLife } from "../../model/wire/answers/flows.ts";
import type { StoreReader } from "../reader.ts";
import { FLOW_SELECT, FlowRow } from "./flow-row.ts";
import { answered, IN_RANGE, rangeParams } from "./question.ts";
import { compileWhere, withFilter, type Scope } from "./where.ts";
import { EVERYTHING } from "../../model/filter/ast.ts";

export const ONE_ROW_SQL = `
SELECT ${FLOW_SELECT}
FROM flows
WHERE ${IN_RANGE} AND row_id = {row:String} /* filter */
LIMIT 1`;

/** The same client address and port, to the same server or through the same service: source ports are what tells connections apart. */
export const LIFE_SQL = `
SELECT ${FLOW_SELECT}
FROM flows
WHERE ${IN_RANGE}
  AND protocol = {protocol:UInt8} AND src_addr = toIPv6({source:String}) AND src_port = {source_port:UInt16}
  AND ((dst_addr = toIPv6({destination:String}) AND dst_port = {port:UInt16})
    OR (service_addr = toIPv6({destination:String}) AND service_port = {port:UInt16})
    OR ({service_port:UInt16} > 0 AND dst_addr = toIPv6({service:String}) AND dst_port = {service_port:UInt16})) /* filter */
ORDER BY ts, row_id
LIMIT 2000`;

export interface LifeQuestion {
  /** Of a row of the connection: its id and its time (ms). */
  readonly rowId: string;
  readonly at: Milliseconds;
  readonly scope: Scope;
}

/** How long before and after the known reports of a connection others of it are looked for, beside its own duration. */
const MARGIN_MS = 3_600_000;
/** A drop this long before the first or after the last report of the socket still is of this connection: SYNs are sent for 135 s. */
const SLACK_MS = 140_000;

/** The reports, oldest first; empty when the row is not there (any more). Throws StoreError. */
export async function connectionLife(
  store: StoreReader,
  question: LifeQuestion,
  signal: AbortSignal,
): Promise<ConnectionLife> {
  const { at, rowId, scope } = question;
  const where = compileWhere(EVERYTHING, scope, "flows");
  const near = { from: milliseconds(at - 1), to: milliseconds(at + 2) };
  const [row] = await store.rows(
    { sql: withFilter(ONE_ROW_SQL, where), row: FlowRow },
    { ...rangeParams(near), row: rowId, ...where.params },
    signal,
  );
  const long = row === undefined ? 0 : Math.ceil(row.durationUs / 1000);
  const range = { from: milliseconds(at - MARGIN_MS - long), to: milliseconds(at + MARGIN_MS) };
  if (row === undefined) return { answered: answered(range, "flows", false), flows: [] };
  const params = {
    ...rangeParams(range),
    protocol: row.protocol,
    source: row.source.address,
    source_port: row.source.port,
    destination: row.destination.address,
    port: row.destination.port,
    service: row.serviceAddress === "" ? "::" : row.serviceAddress,
    service_port: row.servicePort,
    ...where.params,
  };
  const rows = await store.rows({ sql: withFilter(LIFE_SQL, where), row: FlowRow as z.ZodType<Flow> }, params, signal);
  return { answered: answered(range, "flows", rows.length === 2000), flows: ofOneLife(rows, row) };
}

/** A port is used again: only what lies around the life of the row's own socket belongs to it. */
function ofOneLife(rows: readonly Flow[], row: Flow): Flow[] {
  const own = rows.filter(
    (one) => one.rowId === row.rowId || (row.socket !== "0" && one.socket === row.socket && one.node === row.node),
  );
  const times = own.flatMap((one) => [
    Date.parse(one.time) - one.durationUs / 1000 - one.connectUs / 1000,
    Date.parse(one.time),
  ]);
  const from = Math.min(...times) - (row.socket === "0" ? SLACK_MS : 1000);
  const to = Math.max(...times) + (row.socket === "0" ? SLACK_MS : 1000);
  return rows.filter((one) => own.includes(one) || (Date.parse(one.time) >= from && Date.parse(one.time) <= to));
}
