-- Lost packets by minute: what the drops page charts and counts. Sort key: time, then reason, because charts group by reason first.
CREATE TABLE IF NOT EXISTS @table(drops_1m) @cluster
(
    minute     DateTime('UTC')        COMMENT 'start of the minute, UTC',
    reason     LowCardinality(String) COMMENT 'kernel drop reason without prefix',
    location   LowCardinality(String) COMMENT 'kernel function that discarded the packets',
    src_id     UInt64                 COMMENT 'identity of the client of the flow (not of the packet''s sender)',
    dst_id     UInt64                 COMMENT 'identity of the server of the flow',
    dst_port   UInt16                 COMMENT 'server port; 0 where the protocol has none',
    protocol   UInt8                  COMMENT 'IP protocol number',
    verdict    Enum8('unknown' = 0, 'allowed' = 1, 'failed' = 2, 'dropped' = 3, 'denied' = 4) COMMENT 'dropped, or denied where a policy is known to have decided',
    node       LowCardinality(String) COMMENT 'node on which the packets died',
    device     LowCardinality(String) COMMENT 'network device; empty when none',
    reports    SimpleAggregateFunction(sum, UInt64) COMMENT 'rows of flows that went into this one',
    drops      SimpleAggregateFunction(sum, UInt64) COMMENT 'packets discarded',
    first_seen SimpleAggregateFunction(min, DateTime64(9, 'UTC')) COMMENT 'time of the first row',
    last_seen  SimpleAggregateFunction(max, DateTime64(9, 'UTC')) COMMENT 'time of the last row'
)
ENGINE = @engine(AggregatingMergeTree)
PARTITION BY toDate(minute)
ORDER BY (minute, reason, src_id, dst_id, dst_port, protocol, location, verdict, node, device)
TTL minute + INTERVAL @ttl(drops_1m) DAY
SETTINGS @durable, ttl_only_drop_parts = 1
COMMENT 'packets that the kernel discarded, by minute';

CREATE MATERIALIZED VIEW IF NOT EXISTS @view(flows_to_drops_1m) @cluster TO @table(drops_1m) AS
SELECT
    toStartOfMinute(toDateTime(ts, 'UTC')) AS minute,
    reason, location, src_id, dst_id, dst_port, protocol, verdict, node, device,
    count() AS reports,
    sum(toUInt64(drops)) AS drops,
    min(ts) AS first_seen,
    max(ts) AS last_seen
FROM @table(flows)
WHERE kind = 'drop'
GROUP BY minute, reason, location, src_id, dst_id, dst_port, protocol, verdict, node, device;
