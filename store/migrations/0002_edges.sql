-- Who talks to whom, by minute and by hour: what the map asks for. Sort key: time first (every question has a range), then the pair.
-- Traffic sums take only rows with counted = 1, or a connection seen at both ends would count twice. Retransmits are taken from
-- both ends (each end counts what it sent again itself), drops from whoever saw them (a packet dies once).
-- quantilesDD: the same rows give the same answer in any order of merging (relative error 1 %), which t-digest does not.
CREATE TABLE IF NOT EXISTS @table(edges_1m) @cluster
(
    minute            DateTime('UTC')        COMMENT 'start of the minute, UTC',
    src_id            UInt64                 COMMENT 'identity of the client',
    dst_id            UInt64                 COMMENT 'identity of the server',
    dst_port          UInt16                 COMMENT 'server port; 0 where the protocol has none',
    protocol          UInt8                  COMMENT 'IP protocol number',
    verdict           Enum8('unknown' = 0, 'allowed' = 1, 'failed' = 2, 'dropped' = 3, 'denied' = 4) COMMENT 'outcome',
    reason            LowCardinality(String) COMMENT 'drop reason or errno name; empty when nothing went wrong',
    reports           SimpleAggregateFunction(sum, UInt64) COMMENT 'rows of flows that went into this one, of all reporters',
    opened            SimpleAggregateFunction(sum, UInt64) COMMENT 'connections established and datagram conversations begun, counted = 1 only',
    closed            SimpleAggregateFunction(sum, UInt64) COMMENT 'connections ended, counted = 1 only',
    failed            SimpleAggregateFunction(sum, UInt64) COMMENT 'attempts that failed, counted = 1 only',
    drops             SimpleAggregateFunction(sum, UInt64) COMMENT 'packets discarded; each is reported once, by whoever saw it die',
    bytes_to_server   SimpleAggregateFunction(sum, UInt64) COMMENT 'payload bytes client to server, counted = 1 only',
    bytes_to_client   SimpleAggregateFunction(sum, UInt64) COMMENT 'payload bytes server to client, counted = 1 only',
    packets_to_server SimpleAggregateFunction(sum, UInt64) COMMENT 'segments or datagrams client to server, counted = 1 only',
    packets_to_client SimpleAggregateFunction(sum, UInt64) COMMENT 'segments or datagrams server to client, counted = 1 only',
    retransmits       SimpleAggregateFunction(sum, UInt64) COMMENT 'segments sent again, sum over both reporters: each counts its own sends',
    rtt               AggregateFunction(quantilesDD(0.01, 0.5, 0.95, 0.99), UInt32) COMMENT 'round-trip time, microseconds, counted = 1 and measured only',
    connect           AggregateFunction(quantilesDD(0.01, 0.5, 0.95, 0.99), UInt32) COMMENT 'connect latency, microseconds, counted = 1 and measured only',
    first_seen        SimpleAggregateFunction(min, DateTime64(9, 'UTC')) COMMENT 'time of the first row',
    last_seen         SimpleAggregateFunction(max, DateTime64(9, 'UTC')) COMMENT 'time of the last row'
)
ENGINE = @engine(AggregatingMergeTree)
PARTITION BY toDate(minute)
ORDER BY (minute, src_id, dst_id, dst_port, protocol, verdict, reason)
TTL minute + INTERVAL @ttl(edges_1m) DAY
SETTINGS @durable, ttl_only_drop_parts = 1
COMMENT 'who talks to whom, by minute; states, so sum and merge over rows';

CREATE TABLE IF NOT EXISTS @table(edges_1h) @cluster
(
    hour              DateTime('UTC')        COMMENT 'start of the hour, UTC',
    src_id            UInt64                 COMMENT 'identity of the client',
    dst_id            UInt64                 COMMENT 'identity of the server',
    dst_port          UInt16                 COMMENT 'server port; 0 where the protocol has none',
    protocol          UInt8                  COMMENT 'IP protocol number',
    verdict           Enum8('unknown' = 0, 'allowed' = 1, 'failed' = 2, 'dropped' = 3, 'denied' = 4) COMMENT 'outcome',
    reason            LowCardinality(String) COMMENT 'drop reason or errno name; empty when nothing went wrong',
    reports           SimpleAggregateFunction(sum, UInt64) COMMENT 'rows of flows that went into this one, of all reporters',
    opened            SimpleAggregateFunction(sum, UInt64) COMMENT 'connections established and datagram conversations begun, counted = 1 only',
    closed            SimpleAggregateFunction(sum, UInt64) COMMENT 'connections ended, counted = 1 only',
    failed            SimpleAggregateFunction(sum, UInt64) COMMENT 'attempts that failed, counted = 1 only',
    drops             SimpleAggregateFunction(sum, UInt64) COMMENT 'packets discarded; each is reported once, by whoever saw it die',
    bytes_to_server   SimpleAggregateFunction(sum, UInt64) COMMENT 'payload bytes client to server, counted = 1 only',
    bytes_to_client   SimpleAggregateFunction(sum, UInt64) COMMENT 'payload bytes server to client, counted = 1 only',
    packets_to_server SimpleAggregateFunction(sum, UInt64) COMMENT 'segments or datagrams client to server, counted = 1 only',
    packets_to_client SimpleAggregateFunction(sum, UInt64) COMMENT 'segments or datagrams server to client, counted = 1 only',
    retransmits       SimpleAggregateFunction(sum, UInt64) COMMENT 'segments sent again, sum over both reporters: each counts its own sends',
    rtt               AggregateFunction(quantilesDD(0.01, 0.5, 0.95, 0.99), UInt32) COMMENT 'round-trip time, microseconds, counted = 1 and measured only',
    connect           AggregateFunction(quantilesDD(0.01, 0.5, 0.95, 0.99), UInt32) COMMENT 'connect latency, microseconds, counted = 1 and measured only',
    first_seen        SimpleAggregateFunction(min, DateTime64(9, 'UTC')) COMMENT 'time of the first row',
    last_seen         SimpleAggregateFunction(max, DateTime64(9, 'UTC')) COMMENT 'time of the last row'
)
ENGINE = @engine(AggregatingMergeTree)
PARTITION BY toYYYYMM(hour)
ORDER BY (hour, src_id, dst_id, dst_port, protocol, verdict, reason)
TTL hour + INTERVAL @ttl(edges_1h) DAY
SETTINGS @durable, ttl_only_drop_parts = 1
COMMENT 'who talks to whom, by hour; states, so sum and merge over rows';

CREATE MATERIALIZED VIEW IF NOT EXISTS @view(flows_to_edges_1m) @cluster TO @table(edges_1m) AS
SELECT
    toStartOfMinute(toDateTime(ts, 'UTC')) AS minute,
    src_id, dst_id, dst_port, protocol, verdict, reason,
    count() AS reports,
    sumIf(toUInt64(opened), counted = 1) AS opened,
    sumIf(toUInt64(closed), counted = 1) AS closed,
    sumIf(toUInt64(failed), counted = 1) AS failed,
    sum(toUInt64(drops)) AS drops,
    sumIf(bytes_to_server, counted = 1) AS bytes_to_server,
    sumIf(bytes_to_client, counted = 1) AS bytes_to_client,
    sumIf(packets_to_server, counted = 1) AS packets_to_server,
    sumIf(packets_to_client, counted = 1) AS packets_to_client,
    sum(toUInt64(retransmits)) AS retransmits,
    quantilesDDStateIf(0.01, 0.5, 0.95, 0.99)(rtt_us, counted = 1 AND rtt_us > 0) AS rtt,
    quantilesDDStateIf(0.01, 0.5, 0.95, 0.99)(connect_us, counted = 1 AND connect_us > 0) AS connect,
    min(ts) AS first_seen,
    max(ts) AS last_seen
FROM @table(flows)
GROUP BY minute, src_id, dst_id, dst_port, protocol, verdict, reason;

-- Fed by the minute's rows as they are inserted, not by flows: states are merged, not computed a second time.
CREATE MATERIALIZED VIEW IF NOT EXISTS @view(edges_1m_to_1h) @cluster TO @table(edges_1h) AS
SELECT
    toStartOfHour(minute) AS hour,
    src_id, dst_id, dst_port, protocol, verdict, reason,
    sum(reports) AS reports,
    sum(opened) AS opened,
    sum(closed) AS closed,
    sum(failed) AS failed,
    sum(drops) AS drops,
    sum(bytes_to_server) AS bytes_to_server,
    sum(bytes_to_client) AS bytes_to_client,
    sum(packets_to_server) AS packets_to_server,
    sum(packets_to_client) AS packets_to_client,
    sum(retransmits) AS retransmits,
    quantilesDDMergeState(0.01, 0.5, 0.95, 0.99)(rtt) AS rtt,
    quantilesDDMergeState(0.01, 0.5, 0.95, 0.99)(connect) AS connect,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen
FROM @table(edges_1m)
GROUP BY hour, src_id, dst_id, dst_port, protocol, verdict, reason;
