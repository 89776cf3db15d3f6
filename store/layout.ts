/** The columns that collectors write, in the order of a row's bytes, with what RowBinary makes of them. store/layout.test.ts holds them against the store's own. */

/** ClickHouse types that row-binary.ts can encode. `LowCardinality(String)` is a String on the wire, an Enum8 its number, a DateTime64(9) its ticks. */
export type ColumnType = "UInt8" | "UInt16" | "UInt32" | "UInt64" | "DateTime64(9, 'UTC')" | "IPv6" | "UUID" | "String";

export interface ColumnLayout {
  readonly name: string;
  readonly type: ColumnType;
}

const columns = <const Name extends string>(type: ColumnType, ...names: readonly Name[]) =>
  names.map((name) => ({ name, type }));

/** `flows`: model/flow.ts as a row. Enums by their place in FLOW_KINDS, VERDICTS, REPORTERS, DIRECTIONS, PASSAGES, TOWARDS. */
export const FLOW_COLUMNS = [
  ...columns("DateTime64(9, 'UTC')", "ts"),
  ...columns("String", "node"),
  ...columns("UUID", "boot"),
  ...columns("UInt32", "generation"),
  ...columns("UInt16", "cpu"),
  ...columns("UInt32", "seq"),
  ...columns("UInt8", "kind", "verdict"),
  ...columns("String", "reason"),
  ...columns("UInt8", "reporter", "direction", "protocol"),
  ...columns("IPv6", "src_addr", "dst_addr"),
  ...columns("UInt16", "src_port", "dst_port"),
  ...columns("IPv6", "service_addr"),
  ...columns("UInt16", "service_port"),
  ...columns("String", "service"),
  ...columns("UInt64", "src_id", "dst_id"),
  ...columns(
    "String",
    "src_ns",
    "src_workload",
    "src_endpoint",
    "src_name",
    "dst_ns",
    "dst_workload",
    "dst_endpoint",
    "dst_name",
    "process",
  ),
  ...columns("UInt32", "pid"),
  ...columns("UInt64", "cgroup"),
  ...columns("UInt32", "netns"),
  ...columns("String", "device"),
  ...columns("UInt64", "socket"),
  ...columns("UInt8", "counted", "opened", "closed", "failed"),
  ...columns("UInt32", "drops"),
  ...columns("UInt64", "bytes_to_server", "bytes_to_client", "packets_to_server", "packets_to_client"),
  ...columns("UInt32", "retransmits", "rtt_us", "min_rtt_us", "connect_us"),
  ...columns("UInt64", "duration_us"),
  ...columns("String", "location"),
  ...columns("UInt8", "icmp_type", "icmp_code", "tcp_flags"),
  ...columns("String", "hook"),
  ...columns("UInt8", "passage", "toward"),
] as const;

export type FlowColumn = (typeof FLOW_COLUMNS)[number]["name"];
