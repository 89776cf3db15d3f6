-- The unique traffic that a policy is tried on. Addresses are kept only where an end has no identity of its own (reserved: host,
-- world, …), because there a policy may ask for a block of addresses. Sort key: hour, then who was called: a policy selects by that.
CREATE TABLE IF NOT EXISTS @table(tuples_1h) @cluster
(
    hour        DateTime('UTC')        COMMENT 'start of the hour, UTC',
    dst_id      UInt64                 COMMENT 'identity of the server',
    src_id      UInt64                 COMMENT 'identity of the client',
    protocol    UInt8                  COMMENT 'IP protocol number',
    dst_port    UInt16                 COMMENT 'server port; 0 where the protocol has none',
    icmp_type   UInt8                  COMMENT 'ICMP type where the protocol is ICMP, else 0',
    direction   Enum8('unknown' = 0, 'ingress' = 1, 'egress' = 2) COMMENT 'direction seen from the reporting endpoint',
    src_addr    IPv6                   COMMENT 'client address where src_id is below 256, else ::',
    dst_addr    IPv6                   COMMENT 'server address where dst_id is below 256, else ::',
    dst_name    LowCardinality(String) COMMENT 'DNS name of an outside server; empty when unknown',
    l7          LowCardinality(String) COMMENT 'request key where the protocol above is known; empty now',
    opened      SimpleAggregateFunction(sum, UInt64) COMMENT 'connections established and datagram conversations begun, counted = 1 only',
    failed      SimpleAggregateFunction(sum, UInt64) COMMENT 'attempts that failed, counted = 1 only',
    drops       SimpleAggregateFunction(sum, UInt64) COMMENT 'packets discarded',
    bytes       SimpleAggregateFunction(sum, UInt64) COMMENT 'payload bytes both ways, counted = 1 only',
    first_seen  SimpleAggregateFunction(min, DateTime64(9, 'UTC')) COMMENT 'time of the first row',
    last_seen   SimpleAggregateFunction(max, DateTime64(9, 'UTC')) COMMENT 'time of the last row',
    sample_node SimpleAggregateFunction(anyLast, String) COMMENT 'node of the sample row',
    sample_row  SimpleAggregateFunction(anyLast, String) COMMENT 'row_id of one of the rows in flows'
)
ENGINE = @engine(AggregatingMergeTree)
PARTITION BY toYYYYMM(hour)
ORDER BY (hour, dst_id, src_id, protocol, dst_port, icmp_type, direction, src_addr, dst_addr, dst_name, l7)
TTL hour + INTERVAL @ttl(tuples_1h) DAY
SETTINGS @durable, ttl_only_drop_parts = 1
COMMENT 'unique traffic by hour, with counts: what a policy is tried on';

CREATE MATERIALIZED VIEW IF NOT EXISTS @view(flows_to_tuples_1h) @cluster TO @table(tuples_1h) AS
SELECT
    toStartOfHour(toDateTime(ts, 'UTC')) AS hour,
    dst_id, src_id, protocol, dst_port,
    if(protocol IN (1, 58), f.icmp_type, 0) AS icmp_type,
    direction,
    if(src_id < 256, f.src_addr, toIPv6('::')) AS src_addr,
    if(dst_id < 256, f.dst_addr, toIPv6('::')) AS dst_addr,
    dst_name,
    '' AS l7,
    sumIf(toUInt64(f.opened), f.counted = 1) AS opened,
    sumIf(toUInt64(f.failed), f.counted = 1) AS failed,
    sum(toUInt64(f.drops)) AS drops,
    sumIf(f.bytes_to_server + f.bytes_to_client, f.counted = 1) AS bytes,
    min(f.ts) AS first_seen,
    max(f.ts) AS last_seen,
    anyLast(toString(f.node)) AS sample_node,
    anyLast(f.row_id) AS sample_row
FROM @table(flows) AS f
GROUP BY hour, dst_id, src_id, protocol, dst_port, icmp_type, direction, src_addr, dst_addr, dst_name;
