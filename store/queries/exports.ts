/** Rows for other programs: what `weir export` asks, in columns that a spreadsheet or a notebook can read. Addresses as text, times in UTC. */
import type { RangeQuestion } from "./question.ts";
import { IN_RANGE, rangeParams, secondsText } from "./question.ts";
import type { Params } from "../reader.ts";
import { compileWhere, termsBeyond, withFilter } from "./where.ts";
import { StoreError } from "../errors.ts";

export const EXPORTS = ["flows", "edges", "tuples", "dns"] as const;
export type ExportName = (typeof EXPORTS)[number];

/** `text(x)` marks strings that may come from strangers: `exportSql` makes them safe for the format. IPv6 goes to Parquet as raw bytes, so addresses are text. */
const SQL: Readonly<Record<ExportName, string>> = {
  // Over shards a column of the answer may not bear the name of an ALIAS column that it is made of: so row_id gets its name outside.
  flows: `
SELECT * EXCEPT (identity_), identity_ AS row_id
FROM
(
SELECT
  ts AS time, text(toString(node)) AS node, toString(kind) AS kind, toString(verdict) AS verdict, text(toString(reason)) AS reason, toString(reporter) AS reporter, toString(direction) AS direction, protocol,
  text(toString(src_ns)) AS source_namespace, text(toString(src_workload)) AS source_workload, text(toString(src_endpoint)) AS source_endpoint, ip(src_addr) AS source_address, src_port AS source_port, text(toString(src_name)) AS source_name, toString(src_id) AS source_id,
  text(toString(dst_ns)) AS destination_namespace, text(toString(dst_workload)) AS destination_workload, text(toString(dst_endpoint)) AS destination_endpoint, ip(dst_addr) AS destination_address, dst_port AS destination_port, text(toString(dst_name)) AS destination_name, toString(dst_id) AS destination_id,
  text(toString(service)) AS service, if(service_port = 0, '', ip(service_addr)) AS service_address, service_port,
  text(toString(process)) AS process, pid, counted, opened, closed, failed, drops, bytes_to_server, bytes_to_client, packets_to_server, packets_to_client, retransmits,
  rtt_us, min_rtt_us, connect_us, duration_us, text(toString(location)) AS location, text(toString(device)) AS device, netns, icmp_type, icmp_code, tcp_flags, text(toString(hook)) AS hook, toString(passage) AS passage, toString(toward) AS toward, toString(socket) AS socket, text(row_id) AS identity_
FROM flows
WHERE ${IN_RANGE} /* filter */
)
ORDER BY time, row_id`,
  edges: `
SELECT
  e.minute AS minute, text(s.namespace) AS source_namespace, text(s.workload) AS source_workload, toString(e.src_id) AS source_id,
  text(d.namespace) AS destination_namespace, text(d.workload) AS destination_workload, toString(e.dst_id) AS destination_id,
  e.protocol AS protocol, e.dst_port AS port, toString(e.verdict) AS verdict, text(toString(e.reason)) AS reason,
  e.o AS opened, e.c AS closed, e.f AS failed, e.dr AS drops, e.bs AS bytes_to_server, e.bc AS bytes_to_client, e.ps AS packets_to_server, e.pc AS packets_to_client, e.r AS retransmits,
  e.q[1] AS rtt_p50_us, e.q[2] AS rtt_p95_us, e.q[3] AS rtt_p99_us
FROM
(
  SELECT minute, src_id, dst_id, protocol, dst_port, verdict, reason, sum(opened) AS o, sum(closed) AS c, sum(failed) AS f, sum(drops) AS dr,
    sum(bytes_to_server) AS bs, sum(bytes_to_client) AS bc, sum(packets_to_server) AS ps, sum(packets_to_client) AS pc, sum(retransmits) AS r,
    arrayMap(x -> if(isNaN(x), NULL, round(x)), quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(rtt)) AS q
  FROM edges_1m
  WHERE minute >= {from:DateTime('UTC')} AND minute < {to:DateTime('UTC')} /* filter */
  GROUP BY minute, src_id, dst_id, protocol, dst_port, verdict, reason
) AS e
GLOBAL LEFT JOIN (SELECT id, toString(anyLast(identities.namespace)) AS namespace, toString(anyLast(identities.workload)) AS workload FROM identities GROUP BY id) AS s ON s.id = e.src_id
GLOBAL LEFT JOIN (SELECT id, toString(anyLast(identities.namespace)) AS namespace, toString(anyLast(identities.workload)) AS workload FROM identities GROUP BY id) AS d ON d.id = e.dst_id
ORDER BY minute, source_id, destination_id, port`,
  tuples: `
SELECT
  t.hour AS hour, text(s.namespace) AS source_namespace, text(s.workload) AS source_workload, toString(t.src_id) AS source_id, if(t.src_id < 256, ip(t.src_addr), '') AS source_address,
  text(d.namespace) AS destination_namespace, text(d.workload) AS destination_workload, toString(t.dst_id) AS destination_id, if(t.dst_id < 256, ip(t.dst_addr), '') AS destination_address, text(toString(t.dst_name)) AS destination_name,
  t.protocol AS protocol, t.dst_port AS port, t.icmp_type AS icmp_type, toString(t.direction) AS direction, t.o AS opened, t.f AS failed, t.dr AS drops, t.b AS bytes, t.fs AS first_seen, t.ls AS last_seen
FROM
(
  SELECT hour, src_id, dst_id, src_addr, dst_addr, dst_name, protocol, dst_port, icmp_type, direction, sum(opened) AS o, sum(failed) AS f, sum(drops) AS dr, sum(bytes) AS b, min(first_seen) AS fs, max(last_seen) AS ls
  FROM tuples_1h
  WHERE hour >= {from:DateTime('UTC')} AND hour < {to:DateTime('UTC')} /* filter */
  GROUP BY hour, src_id, dst_id, src_addr, dst_addr, dst_name, protocol, dst_port, icmp_type, direction
) AS t
GLOBAL LEFT JOIN (SELECT id, toString(anyLast(identities.namespace)) AS namespace, toString(anyLast(identities.workload)) AS workload FROM identities GROUP BY id) AS s ON s.id = t.src_id
GLOBAL LEFT JOIN (SELECT id, toString(anyLast(identities.namespace)) AS namespace, toString(anyLast(identities.workload)) AS workload FROM identities GROUP BY id) AS d ON d.id = t.dst_id
ORDER BY hour, source_id, destination_id, port`,
  dns: `
SELECT
  ts AS time, text(toString(node)) AS node, toString(client_id) AS client_id, ip(client_addr) AS client_address, ip(server_addr) AS server_address, text(name) AS name, text(toString(qtype)) AS qtype, text(toString(rcode)) AS rcode,
  arrayStringConcat(arrayMap(x -> replaceOne(toString(x), '::ffff:', ''), addresses), ' ') AS answer, latency_us
FROM dns_answers
WHERE ts >= {from:DateTime64(3, 'UTC')} AND ts < {to:DateTime64(3, 'UTC')}
ORDER BY dns_answers.ts, name`,
};

/** A cell that begins like a formula is run as one by a spreadsheet (CWE-1236): a quote before it makes it text. */
const CSV_TEXT = (x: string) => `if(match(${x}, '^[=+\\\\-@\\t\\r\\n＝＋－＠]'), concat('\\'', ${x}), ${x})`;

export interface ExportSql {
  readonly sql: string;
  readonly params: Params;
}

/** SQL and parameters of an export. Throws StoreError when its table does not know a term of the filter. */
export function exportSql(name: ExportName, question: RangeQuestion, csv: boolean): ExportSql {
  const { range, filter, scope } = question;
  const table = name === "dns" ? undefined : name === "edges" || name === "tuples" ? name : "flows";
  const beyond = table === undefined ? filter.terms : termsBeyond(filter, table);
  if (beyond.length > 0 || (table === undefined && scope.length > 0)) {
    throw new StoreError({
      code: "export-filter",
      where: beyond[0]?.text ?? "scope",
      what: `${name} do not know this`,
      next: "export flows with it, or leave it out",
    });
  }
  const where = table === undefined ? { sql: "", params: {} } : compileWhere(filter, scope, table);
  const text = SQL[name]
    .replaceAll(/\bip\(([\w.]+)\)/g, "replaceOne(toString($1), '::ffff:', '')")
    .replaceAll(/\btext\((toString\([\w.]+\)|[\w.]+)\)/g, (_, x: string) => (csv ? CSV_TEXT(x) : x));
  const times =
    name === "edges" || name === "tuples"
      ? { from: secondsText(range.from), to: secondsText(range.to) }
      : rangeParams(range);
  return { sql: table === undefined ? text : withFilter(text, where), params: { ...times, ...where.params } };
}
