-- What was produced and what became of it; how the collectors are; which segments have arrived.
-- Books are additive: a node may write several rows for one minute (late losses are booked to the minute they belong to).
CREATE TABLE IF NOT EXISTS @table(books) @cluster
(
    minute      DateTime('UTC')        COMMENT 'start of the minute, UTC',
    node        LowCardinality(String) COMMENT 'name of the node',
    boot        UUID                   COMMENT 'boot id of its kernel',
    generation  UInt32                 COMMENT 'start count of the programs on this boot',
    type        LowCardinality(String) COMMENT 'event type: connection, drop, dns, …',
    produced    UInt64                 COMMENT 'events that the kernel made',
    stored      UInt64                 COMMENT 'events that the store has acknowledged',
    lost        UInt64                 COMMENT 'events that found the ring full',
    shed        UInt64                 COMMENT 'events given up because the disk budget was used up',
    quarantined UInt64                 COMMENT 'events in records that could not be read',
    filtered    UInt64                 COMMENT 'events left out on purpose'
)
ENGINE = @engine(SummingMergeTree)
PARTITION BY toYYYYMM(minute)
ORDER BY (minute, node, boot, generation, type)
TTL minute + INTERVAL @ttl(books) DAY
SETTINGS @durable, ttl_only_drop_parts = 1
COMMENT 'produced = stored + lost + shed + quarantined + filtered, by node and minute; sum over rows';

CREATE TABLE IF NOT EXISTS @table(collector_health) @cluster
(
    ts     DateTime64(3, 'UTC')   COMMENT 'when it was measured',
    node   LowCardinality(String) COMMENT 'name of the node',
    metric LowCardinality(String) COMMENT 'name with its unit: ring_used_ratio, insert_lag_seconds, …',
    label  LowCardinality(String) COMMENT 'what it is of: a CPU, a program, a table; empty when of the whole',
    value  Float64                COMMENT 'value, in the unit that the name says',
    text   String                 COMMENT 'words where a number is not enough: why a program was refused'
)
ENGINE = @engine(MergeTree)
PARTITION BY toDate(ts)
ORDER BY (metric, node, label, ts)
TTL toDateTime(ts) + INTERVAL @ttl(collector_health) DAY
SETTINGS @durable, ttl_only_drop_parts = 1
COMMENT 'how the collectors are, one row a measurement';

CREATE TABLE IF NOT EXISTS @table(segments) @cluster
(
    segment String                 COMMENT 'id of a spool segment, which was its insert''s deduplication token',
    target  LowCardinality(String) COMMENT 'table that it went into',
    node    LowCardinality(String) COMMENT 'node that sent it',
    rows    UInt64                 COMMENT 'rows in it',
    arrived DateTime64(3, 'UTC')   COMMENT 'when the insert was acknowledged'
)
ENGINE = @engine(ReplacingMergeTree, arrived)
ORDER BY (segment, target)
TTL toDateTime(arrived) + INTERVAL @ttl(segments) DAY
SETTINGS @durable
COMMENT 'segments whose insert was acknowledged: asked on restart, before anything is sent again';
