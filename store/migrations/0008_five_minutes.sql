-- Who talks to whom by five minutes: between the minute, of which a map of an hour merges sixty, and the hour, which is too coarse for it.
-- Fed by the minute's rows as they are inserted, like edges_1h. Nothing is copied from edges_1m: what arrives while a copy is made would be
-- missing or counted twice. `roll_ups` says instead from when on this table has everything; before, the minutes answer.
CREATE TABLE IF NOT EXISTS @table(edges_5m) @cluster
(
    slot              DateTime('UTC')        COMMENT 'start of the five minutes, UTC',
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
PARTITION BY toDate(slot)
ORDER BY (slot, src_id, dst_id, dst_port, protocol, verdict, reason)
TTL slot + INTERVAL @ttl(edges_5m) DAY
SETTINGS @durable, ttl_only_drop_parts = 1
COMMENT 'who talks to whom, by five minutes; states, so sum and merge over rows';

CREATE MATERIALIZED VIEW IF NOT EXISTS @view(edges_1m_to_5m) @cluster TO @table(edges_5m) AS
SELECT
    toStartOfFiveMinutes(minute) AS slot,
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
GROUP BY slot, src_id, dst_id, dst_port, protocol, verdict, reason;

CREATE TABLE IF NOT EXISTS @table(roll_ups) @cluster
(
    roll_up LowCardinality(String)                         COMMENT 'name of a table that was added later than the one that feeds it',
    begins  SimpleAggregateFunction(max, DateTime('UTC'))  COMMENT 'from here on it has all rows; before, ask the table that feeds it'
)
ENGINE = @engine(AggregatingMergeTree)
ORDER BY roll_up
SETTINGS @durable
COMMENT 'from when on roll-ups that were added later are whole';

-- After the view, so that no minute is in neither. An empty edges_1m has no rows that the view has not seen: everything is there from the start.
INSERT INTO @table(roll_ups) (roll_up, begins)
SELECT 'edges_5m', if(count() = 0, toDateTime(0, 'UTC'), toStartOfFiveMinutes(greatest(now('UTC'), max(minute)) + INTERVAL 5 MINUTE))
FROM @all(edges_1m);
