-- What the nodes report, one row a report, kept as it came: a drill-down must be able to say what the kernel said.
-- Sort key: five-minute slots first, because every question has a range and most have only that; inside a slot by who was
-- called, so that one edge of a slot lies together (8 of 10 columns repeat there and compress to almost nothing).
-- The window of remembered blocks is what makes a segment that is sent twice count once.
CREATE TABLE IF NOT EXISTS weir.flows_local ON CLUSTER 'shop'
(
    ts               DateTime64(9, 'UTC')   COMMENT 'when it happened, ns since 1970 UTC, clock of the node' CODEC(DoubleDelta, ZSTD(1)),
    node             LowCardinality(String) COMMENT 'name of the reporting node',
    boot             UUID                   COMMENT 'boot id of the node''s kernel: part of the row''s identity',
    generation       UInt32                 COMMENT 'start count of the programs on this boot: part of the row''s identity',
    cpu              UInt16                 COMMENT 'CPU whose ring carried the event: part of the row''s identity',
    seq              UInt32                 COMMENT 'number of the event on this CPU and generation: part of the row''s identity' CODEC(Delta, ZSTD(1)),
    kind             Enum8('open' = 0, 'close' = 1, 'fail' = 2, 'alive' = 3, 'drop' = 4, 'datagram' = 5, 'verdict' = 6) COMMENT 'what this report tells',
    verdict          Enum8('unknown' = 0, 'allowed' = 1, 'failed' = 2, 'dropped' = 3, 'denied' = 4) COMMENT 'outcome; denied only where a policy is known to have decided',
    reason           LowCardinality(String) COMMENT 'kernel drop reason without prefix, errno name, GAVE_UP; empty when nothing went wrong',
    reporter         Enum8('unknown' = 0, 'client' = 1, 'server' = 2, 'path' = 3) COMMENT 'which end saw it; path = in between',
    direction        Enum8('unknown' = 0, 'ingress' = 1, 'egress' = 2) COMMENT 'direction seen from the reporting endpoint',
    protocol         UInt8                  COMMENT 'IP protocol number: 6 TCP, 17 UDP, 1 ICMP, 58 ICMPv6',
    src_addr         IPv6                   COMMENT 'client address, IPv4 as ::ffff:a.b.c.d',
    dst_addr         IPv6                   COMMENT 'server address after translation, IPv4 as ::ffff:a.b.c.d',
    src_port         UInt16                 COMMENT 'client port',
    dst_port         UInt16                 COMMENT 'server port; 0 where the protocol has none',
    service_addr     IPv6                   COMMENT 'address that the client used before translation; :: when it reached the server itself',
    service_port     UInt16                 COMMENT 'port that the client used before translation; 0 when not translated',
    service          LowCardinality(String) COMMENT 'name of the service that was used; empty when none or unknown',
    src_id           UInt64                 COMMENT 'identity of the client: hash of its labels, 1-255 reserved',
    dst_id           UInt64                 COMMENT 'identity of the server: hash of its labels, 1-255 reserved',
    src_ns           LowCardinality(String) COMMENT 'namespace of the client at that time',
    src_workload     LowCardinality(String) COMMENT 'workload of the client at that time',
    src_endpoint     LowCardinality(String) COMMENT 'pod, container or network namespace of the client; empty when unknown',
    src_name         LowCardinality(String) COMMENT 'DNS name of an outside client; empty when unknown',
    dst_ns           LowCardinality(String) COMMENT 'namespace of the server at that time',
    dst_workload     LowCardinality(String) COMMENT 'workload of the server at that time',
    dst_endpoint     LowCardinality(String) COMMENT 'pod, container or network namespace of the server; empty when unknown',
    dst_name         LowCardinality(String) COMMENT 'DNS name that an outside server was last looked up by; empty when unknown',
    process          LowCardinality(String) COMMENT 'command name of the socket''s owner at the reporting end; empty when unknown',
    pid              UInt32                 COMMENT 'process id of the socket''s owner; 0 when unknown',
    cgroup           UInt64                 COMMENT 'cgroup id of the socket; 0 when unknown',
    netns            UInt32                 COMMENT 'inode number of the network namespace; 0 when unknown',
    device           LowCardinality(String) COMMENT 'network device of a dropped packet; empty when none',
    socket           UInt64                 COMMENT 'socket cookie, the same for all reports of one socket on one boot; 0 without a socket',
    counted          UInt8                  COMMENT '1 = the report that traffic sums use: the client''s, or the server''s where the client has no agent',
    opened           UInt8                  COMMENT 'connections established, or datagram conversations begun, by this report: 0 or 1',
    closed           UInt8                  COMMENT 'connections ended by this report: 0 or 1',
    failed           UInt8                  COMMENT 'connection attempts that failed by this report: 0 or 1',
    drops            UInt32                 COMMENT 'packets discarded, since the last report of this flow and reason',
    bytes_to_server  UInt64                 COMMENT 'payload bytes client to server since this connection''s last report' CODEC(T64, ZSTD(1)),
    bytes_to_client  UInt64                 COMMENT 'payload bytes server to client since this connection''s last report' CODEC(T64, ZSTD(1)),
    packets_to_server UInt64                COMMENT 'segments or datagrams client to server since the last report' CODEC(T64, ZSTD(1)),
    packets_to_client UInt64                COMMENT 'segments or datagrams server to client since the last report' CODEC(T64, ZSTD(1)),
    retransmits      UInt32                 COMMENT 'segments that the reporting end sent again since the last report',
    rtt_us           UInt32                 COMMENT 'smoothed round-trip time, microseconds; 0 when not measured',
    min_rtt_us       UInt32                 COMMENT 'least round-trip time of the connection, microseconds; 0 when not measured',
    connect_us       UInt32                 COMMENT 'SYN to established, or to the failure, microseconds; 0 when not measured',
    duration_us      UInt64                 COMMENT 'life of the connection so far, microseconds' CODEC(T64, ZSTD(1)),
    location         LowCardinality(String) COMMENT 'kernel function that discarded the packet; empty when none',
    icmp_type        UInt8                  COMMENT 'ICMP type where the protocol is ICMP, else 0',
    icmp_code        UInt8                  COMMENT 'ICMP code where the protocol is ICMP, else 0',
    tcp_flags        UInt8                  COMMENT 'TCP flags of a dropped packet, else 0',
    row_id           String ALIAS concat(node, '/', toString(boot), '/', toString(generation), '/', toString(cpu), '/', toString(seq))
                                            COMMENT 'the row''s identity: node/boot/generation/cpu/seq'
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}')
PARTITION BY toDate(ts)
ORDER BY (toStartOfFiveMinutes(ts), dst_id, dst_port, src_id, ts)
TTL toDateTime(ts) + INTERVAL 7 DAY
SETTINGS replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1
COMMENT 'one row a report: connection opened, closed, failed or alive, datagrams, drop or verdict, in the direction client to server';

CREATE TABLE IF NOT EXISTS weir.flows ON CLUSTER 'shop' AS weir.flows_local
ENGINE = Distributed('shop', 'weir', 'flows_local', cityHash64(node));

-- Who talks to whom, by minute and by hour: what the map asks for. Sort key: time first (every question has a range), then the pair.
-- Traffic sums take only rows with counted = 1, or a connection seen at both ends would count twice. Retransmits are taken from
-- both ends (each end counts what it sent again itself), drops from whoever saw them (a packet dies once).
-- quantilesDD: the same rows give the same answer in any order of merging (relative error 1 %), which t-digest does not.
CREATE TABLE IF NOT EXISTS weir.edges_1m_local ON CLUSTER 'shop'
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
ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}')
PARTITION BY toDate(minute)
ORDER BY (minute, src_id, dst_id, dst_port, protocol, verdict, reason)
TTL minute + INTERVAL 30 DAY
SETTINGS replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1
COMMENT 'who talks to whom, by minute; states, so sum and merge over rows';

CREATE TABLE IF NOT EXISTS weir.edges_1m ON CLUSTER 'shop' AS weir.edges_1m_local
ENGINE = Distributed('shop', 'weir', 'edges_1m_local', cityHash64(src_id));

CREATE TABLE IF NOT EXISTS weir.edges_1h_local ON CLUSTER 'shop'
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
ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}')
PARTITION BY toYYYYMM(hour)
ORDER BY (hour, src_id, dst_id, dst_port, protocol, verdict, reason)
TTL hour + INTERVAL 400 DAY
SETTINGS replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1
COMMENT 'who talks to whom, by hour; states, so sum and merge over rows';

CREATE TABLE IF NOT EXISTS weir.edges_1h ON CLUSTER 'shop' AS weir.edges_1h_local
ENGINE = Distributed('shop', 'weir', 'edges_1h_local', cityHash64(src_id));

CREATE MATERIALIZED VIEW IF NOT EXISTS weir.flows_to_edges_1m ON CLUSTER 'shop' TO weir.edges_1m_local AS
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
FROM weir.flows_local
GROUP BY minute, src_id, dst_id, dst_port, protocol, verdict, reason;

-- Fed by the minute's rows as they are inserted, not by flows: states are merged, not computed a second time.
CREATE MATERIALIZED VIEW IF NOT EXISTS weir.edges_1m_to_1h ON CLUSTER 'shop' TO weir.edges_1h_local AS
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
FROM weir.edges_1m_local
GROUP BY hour, src_id, dst_id, dst_port, protocol, verdict, reason;

-- Lost packets by minute: what the drops page charts and counts. Sort key: time, then reason, because charts group by reason first.
CREATE TABLE IF NOT EXISTS weir.drops_1m_local ON CLUSTER 'shop'
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
ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}')
PARTITION BY toDate(minute)
ORDER BY (minute, reason, src_id, dst_id, dst_port, protocol, location, verdict, node, device)
TTL minute + INTERVAL 30 DAY
SETTINGS replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1
COMMENT 'packets that the kernel discarded, by minute';

CREATE TABLE IF NOT EXISTS weir.drops_1m ON CLUSTER 'shop' AS weir.drops_1m_local
ENGINE = Distributed('shop', 'weir', 'drops_1m_local', cityHash64(node));

CREATE MATERIALIZED VIEW IF NOT EXISTS weir.flows_to_drops_1m ON CLUSTER 'shop' TO weir.drops_1m_local AS
SELECT
    toStartOfMinute(toDateTime(ts, 'UTC')) AS minute,
    reason, location, src_id, dst_id, dst_port, protocol, verdict, node, device,
    count() AS reports,
    sum(toUInt64(drops)) AS drops,
    min(ts) AS first_seen,
    max(ts) AS last_seen
FROM weir.flows_local
WHERE kind = 'drop'
GROUP BY minute, reason, location, src_id, dst_id, dst_port, protocol, verdict, node, device;

-- The unique traffic that a policy is tried on. Addresses are kept only where an end has no identity of its own (reserved: host,
-- world, …), because there a policy may ask for a block of addresses. Sort key: hour, then who was called: a policy selects by that.
CREATE TABLE IF NOT EXISTS weir.tuples_1h_local ON CLUSTER 'shop'
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
ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}')
PARTITION BY toYYYYMM(hour)
ORDER BY (hour, dst_id, src_id, protocol, dst_port, icmp_type, direction, src_addr, dst_addr, dst_name, l7)
TTL hour + INTERVAL 90 DAY
SETTINGS replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1
COMMENT 'unique traffic by hour, with counts: what a policy is tried on';

CREATE TABLE IF NOT EXISTS weir.tuples_1h ON CLUSTER 'shop' AS weir.tuples_1h_local
ENGINE = Distributed('shop', 'weir', 'tuples_1h_local', cityHash64(src_id));

CREATE MATERIALIZED VIEW IF NOT EXISTS weir.flows_to_tuples_1h ON CLUSTER 'shop' TO weir.tuples_1h_local AS
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
FROM weir.flows_local AS f
GROUP BY hour, dst_id, src_id, protocol, dst_port, icmp_type, direction, src_addr, dst_addr, dst_name;

-- Who is who, when: what stands behind the ids of flows and roll-ups. Small tables, read whole or by key.
-- Identities never change, so rows of the same id differ only in when it was seen: min and max while merging, no FINAL needed.
CREATE TABLE IF NOT EXISTS weir.identities_local ON CLUSTER 'shop'
(
    id         UInt64                                           COMMENT 'hash of the canonical labels; 1-255 reserved',
    kind       SimpleAggregateFunction(anyLast, LowCardinality(String)) COMMENT 'workload, service, fqdn, cidr or reserved',
    shape      SimpleAggregateFunction(anyLast, LowCardinality(String)) COMMENT 'form on the map: workload, datastore, gateway, infra, outside, service; empty = by kind',
    namespace  SimpleAggregateFunction(anyLast, LowCardinality(String)) COMMENT 'group it is drawn in; empty for reserved and outside ones',
    workload   SimpleAggregateFunction(anyLast, LowCardinality(String)) COMMENT 'name under the node',
    labels     SimpleAggregateFunction(anyLast, Map(String, String)) COMMENT 'security-relevant labels',
    cilium_id  SimpleAggregateFunction(max, UInt32)             COMMENT 'number in Cilium; 0 when not on a Cilium node',
    first_seen SimpleAggregateFunction(min, DateTime64(3, 'UTC')) COMMENT 'first time that a node knew it',
    last_seen  SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'last time that a node knew it'
)
ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}')
ORDER BY id
SETTINGS replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'identities: sets of labels and the names that people know them by; group by id';

CREATE TABLE IF NOT EXISTS weir.identities ON CLUSTER 'shop' AS weir.identities_local
ENGINE = Distributed('shop', 'weir', 'identities_local', id);

CREATE TABLE IF NOT EXISTS weir.endpoints_local ON CLUSTER 'shop'
(
    address    IPv6                   COMMENT 'address, IPv4 as ::ffff:a.b.c.d',
    netns      UInt32                 COMMENT 'inode number of its network namespace; 0 when unknown',
    node       LowCardinality(String) COMMENT 'node that it lives on; empty when unknown',
    identity   UInt64                 COMMENT 'identity during the interval',
    endpoint   String                 COMMENT 'pod, container, network namespace or unit instance',
    process    LowCardinality(String) COMMENT 'command name; empty when unknown',
    valid_from DateTime64(9, 'UTC')   COMMENT 'from when the address belonged to it',
    valid_to   DateTime64(9, 'UTC')   COMMENT 'until when; 2200-01-01 while it still does',
    updated    DateTime64(3, 'UTC')   COMMENT 'when this row was written; the latest row of an interval holds'
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', updated)
ORDER BY (address, netns, node, valid_from)
SETTINGS replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'which address belonged to whom, from when to when; read FINAL';

CREATE TABLE IF NOT EXISTS weir.endpoints ON CLUSTER 'shop' AS weir.endpoints_local
ENGINE = Distributed('shop', 'weir', 'endpoints_local', cityHash64(address));

CREATE TABLE IF NOT EXISTS weir.services_local ON CLUSTER 'shop'
(
    address    IPv6                   COMMENT 'service address before translation',
    port       UInt16                 COMMENT 'service port',
    protocol   UInt8                  COMMENT 'IP protocol number',
    namespace  LowCardinality(String) COMMENT 'namespace of the service',
    name       LowCardinality(String) COMMENT 'name of the service',
    backends   Array(Tuple(address IPv6, port UInt16)) COMMENT 'addresses and ports behind it, as far as known',
    valid_from DateTime64(9, 'UTC')   COMMENT 'from when this held',
    valid_to   DateTime64(9, 'UTC')   COMMENT 'until when; 2200-01-01 while it still does',
    updated    DateTime64(3, 'UTC')   COMMENT 'when this row was written; the latest row of an interval holds'
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', updated)
ORDER BY (address, port, protocol, valid_from)
SETTINGS replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'service addresses and what stands behind them, from when to when; read FINAL';

CREATE TABLE IF NOT EXISTS weir.services ON CLUSTER 'shop' AS weir.services_local
ENGINE = Distributed('shop', 'weir', 'services_local', cityHash64(address));

CREATE TABLE IF NOT EXISTS weir.policies_local ON CLUSTER 'shop'
(
    uid        String                 COMMENT 'stable id: kind/namespace/name, or the object''s UID',
    kind       LowCardinality(String) COMMENT 'NetworkPolicy, CiliumNetworkPolicy, …',
    namespace  LowCardinality(String) COMMENT 'namespace; empty for cluster-wide ones',
    name       String                 COMMENT 'name',
    yaml       String                 COMMENT 'the document as it was applied' CODEC(ZSTD(3)),
    valid_from DateTime64(9, 'UTC')   COMMENT 'from when it was in force',
    valid_to   DateTime64(9, 'UTC')   COMMENT 'until when; 2200-01-01 while it still is',
    updated    DateTime64(3, 'UTC')   COMMENT 'when this row was written; the latest row of an interval holds'
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', updated)
ORDER BY (uid, valid_from)
SETTINGS replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'policies that were in force, from when to when; read FINAL';

CREATE TABLE IF NOT EXISTS weir.policies ON CLUSTER 'shop' AS weir.policies_local
ENGINE = Distributed('shop', 'weir', 'policies_local', cityHash64(uid));

CREATE TABLE IF NOT EXISTS weir.nodes_local ON CLUSTER 'shop'
(
    node       LowCardinality(String)                            COMMENT 'name of the node',
    boot       UUID                                              COMMENT 'boot id of its kernel',
    kernel     SimpleAggregateFunction(anyLast, String)          COMMENT 'kernel release',
    agent      SimpleAggregateFunction(anyLast, String)          COMMENT 'version of the collector',
    cpus       SimpleAggregateFunction(anyLast, UInt16)          COMMENT 'CPUs online',
    first_seen SimpleAggregateFunction(min, DateTime64(3, 'UTC')) COMMENT 'first report of this boot',
    last_seen  SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'last report of this boot'
)
ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}')
ORDER BY (node, boot)
SETTINGS replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'nodes that report, by boot; group by node, boot';

CREATE TABLE IF NOT EXISTS weir.nodes ON CLUSTER 'shop' AS weir.nodes_local
ENGINE = Distributed('shop', 'weir', 'nodes_local', cityHash64(node));

CREATE TABLE IF NOT EXISTS weir.dns_answers_local ON CLUSTER 'shop'
(
    ts          DateTime64(9, 'UTC')   COMMENT 'when the answer was seen' CODEC(DoubleDelta, ZSTD(1)),
    node        LowCardinality(String) COMMENT 'name of the reporting node',
    client_id   UInt64                 COMMENT 'identity of the client; 0 when unknown',
    client_addr IPv6                   COMMENT 'address of the client',
    server_addr IPv6                   COMMENT 'address of the DNS server',
    name        String                 COMMENT 'name asked for, lower case, without the last dot; a string from strangers',
    qtype       LowCardinality(String) COMMENT 'A, AAAA, …; TYPEnnn when unknown',
    rcode       LowCardinality(String) COMMENT 'NOERROR, NXDOMAIN, …; empty = no answer seen',
    addresses   Array(IPv6)            COMMENT 'addresses of the answer',
    latency_us  UInt32                 COMMENT 'question to answer, microseconds; 0 when the question was not seen'
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}')
PARTITION BY toDate(ts)
ORDER BY (toStartOfHour(ts), name, ts)
TTL toDateTime(ts) + INTERVAL 30 DAY
SETTINGS replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1
COMMENT 'DNS answers seen on the wire';

CREATE TABLE IF NOT EXISTS weir.dns_answers ON CLUSTER 'shop' AS weir.dns_answers_local
ENGINE = Distributed('shop', 'weir', 'dns_answers_local', cityHash64(node));

-- What was produced and what became of it; how the collectors are; which segments have arrived.
-- Books are additive: a node may write several rows for one minute (late losses are booked to the minute they belong to).
CREATE TABLE IF NOT EXISTS weir.books_local ON CLUSTER 'shop'
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
ENGINE = ReplicatedSummingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}')
PARTITION BY toYYYYMM(minute)
ORDER BY (minute, node, boot, generation, type)
TTL minute + INTERVAL 400 DAY
SETTINGS replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1
COMMENT 'produced = stored + lost + shed + quarantined + filtered, by node and minute; sum over rows';

CREATE TABLE IF NOT EXISTS weir.books ON CLUSTER 'shop' AS weir.books_local
ENGINE = Distributed('shop', 'weir', 'books_local', cityHash64(node));

CREATE TABLE IF NOT EXISTS weir.collector_health_local ON CLUSTER 'shop'
(
    ts     DateTime64(3, 'UTC')   COMMENT 'when it was measured',
    node   LowCardinality(String) COMMENT 'name of the node',
    metric LowCardinality(String) COMMENT 'name with its unit: ring_used_ratio, insert_lag_seconds, …',
    label  LowCardinality(String) COMMENT 'what it is of: a CPU, a program, a table; empty when of the whole',
    value  Float64                COMMENT 'value, in the unit that the name says',
    text   String                 COMMENT 'words where a number is not enough: why a program was refused'
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}')
PARTITION BY toDate(ts)
ORDER BY (metric, node, label, ts)
TTL toDateTime(ts) + INTERVAL 30 DAY
SETTINGS replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1
COMMENT 'how the collectors are, one row a measurement';

CREATE TABLE IF NOT EXISTS weir.collector_health ON CLUSTER 'shop' AS weir.collector_health_local
ENGINE = Distributed('shop', 'weir', 'collector_health_local', cityHash64(node));

CREATE TABLE IF NOT EXISTS weir.segments_local ON CLUSTER 'shop'
(
    segment String                 COMMENT 'id of a spool segment, which was its insert''s deduplication token',
    target  LowCardinality(String) COMMENT 'table that it went into',
    node    LowCardinality(String) COMMENT 'node that sent it',
    rows    UInt64                 COMMENT 'rows in it',
    arrived DateTime64(3, 'UTC')   COMMENT 'when the insert was acknowledged'
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', arrived)
ORDER BY (segment, target)
TTL toDateTime(arrived) + INTERVAL 14 DAY
SETTINGS replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'segments whose insert was acknowledged: asked on restart, before anything is sent again';

CREATE TABLE IF NOT EXISTS weir.segments ON CLUSTER 'shop' AS weir.segments_local
ENGINE = Distributed('shop', 'weir', 'segments_local', cityHash64(segment));

-- The identities that have no labels of their own keep Cilium's numbers and names (model/identity.ts), so that their names are known
-- before any node has reported. A time in 1970 says: not seen, known.
INSERT INTO weir.identities_local (id, kind, shape, namespace, workload, labels, cilium_id, first_seen, last_seen)
VALUES
    (0, 'reserved', 'outside', '', 'unknown', {'reserved:unknown': ''}, 0, 0, 0),
    (1, 'reserved', 'infra', '', 'host', {'reserved:host': ''}, 1, 0, 0),
    (2, 'reserved', 'outside', '', 'world', {'reserved:world': ''}, 2, 0, 0),
    (3, 'reserved', 'outside', '', 'unmanaged', {'reserved:unmanaged': ''}, 3, 0, 0),
    (4, 'reserved', 'infra', '', 'health', {'reserved:health': ''}, 4, 0, 0),
    (5, 'reserved', 'infra', '', 'init', {'reserved:init': ''}, 5, 0, 0),
    (6, 'reserved', 'infra', '', 'remote-node', {'reserved:remote-node': ''}, 6, 0, 0),
    (7, 'reserved', 'infra', '', 'kube-apiserver', {'reserved:kube-apiserver': ''}, 7, 0, 0),
    (8, 'reserved', 'gateway', '', 'ingress', {'reserved:ingress': ''}, 8, 0, 0),
    (9, 'reserved', 'outside', '', 'world-ipv4', {'reserved:world-ipv4': ''}, 9, 0, 0),
    (10, 'reserved', 'outside', '', 'world-ipv6', {'reserved:world-ipv6': ''}, 10, 0, 0);

-- Who talks to whom by five minutes: between the minute, of which a map of an hour merges sixty, and the hour, which is too coarse for it.
-- Fed by the minute's rows as they are inserted, like edges_1h. Nothing is copied from edges_1m: what arrives while a copy is made would be
-- missing or counted twice. `roll_ups` says instead from when on this table has everything; before, the minutes answer.
CREATE TABLE IF NOT EXISTS weir.edges_5m_local ON CLUSTER 'shop'
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
ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}')
PARTITION BY toDate(slot)
ORDER BY (slot, src_id, dst_id, dst_port, protocol, verdict, reason)
TTL slot + INTERVAL 30 DAY
SETTINGS replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1
COMMENT 'who talks to whom, by five minutes; states, so sum and merge over rows';

CREATE TABLE IF NOT EXISTS weir.edges_5m ON CLUSTER 'shop' AS weir.edges_5m_local
ENGINE = Distributed('shop', 'weir', 'edges_5m_local', cityHash64(src_id));

CREATE MATERIALIZED VIEW IF NOT EXISTS weir.edges_1m_to_5m ON CLUSTER 'shop' TO weir.edges_5m_local AS
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
FROM weir.edges_1m_local
GROUP BY slot, src_id, dst_id, dst_port, protocol, verdict, reason;

CREATE TABLE IF NOT EXISTS weir.roll_ups_local ON CLUSTER 'shop'
(
    roll_up LowCardinality(String)                         COMMENT 'name of a table that was added later than the one that feeds it',
    begins  SimpleAggregateFunction(max, DateTime('UTC'))  COMMENT 'from here on it has all rows; before, ask the table that feeds it'
)
ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}')
ORDER BY roll_up
SETTINGS replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'from when on roll-ups that were added later are whole';

CREATE TABLE IF NOT EXISTS weir.roll_ups ON CLUSTER 'shop' AS weir.roll_ups_local
ENGINE = Distributed('shop', 'weir', 'roll_ups_local', cityHash64(roll_up));

-- After the view, so that no minute is in neither. An empty edges_1m has no rows that the view has not seen: everything is there from the start.
INSERT INTO weir.roll_ups_local (roll_up, begins)
SELECT 'edges_5m', if(count() = 0, toDateTime(0, 'UTC'), toStartOfFiveMinutes(greatest(now('UTC'), max(minute)) + INTERVAL 5 MINUTE))
FROM weir.edges_1m;

-- Reading fewer bytes of flows. Times in T64 instead of DoubleDelta: between rows of one edge they jump, so the second difference gains
-- nothing; T64 is smaller (4.6 bytes a row against 5.4) and read three times as fast. Rows that lie there are rewritten when their parts merge.
ALTER TABLE weir.flows_local ON CLUSTER 'shop' MODIFY COLUMN ts CODEC(T64, ZSTD(1));

-- Blocks of 8,192 rows without a drop or a failure are skipped by the questions for these: troubles lie together, by who was called.
ALTER TABLE weir.flows_local ON CLUSTER 'shop' ADD INDEX IF NOT EXISTS kinds kind TYPE set(8) GRANULARITY 1;

ALTER TABLE weir.flows_local ON CLUSTER 'shop' ADD INDEX IF NOT EXISTS failing failed TYPE minmax GRANULARITY 1;

-- Where on its way a packet was dropped, and to which end it was going: the kernel function alone says neither (nft_do_chain is every
-- firewall hook's). Rows from before say '' and unknown. The roll-up keeps them apart, so they are part of its sort key.
ALTER TABLE weir.flows_local ON CLUSTER 'shop'
    ADD COLUMN IF NOT EXISTS hook LowCardinality(String) COMMENT 'firewall hook, tc, queue or program that discarded the packet, such as forward or tc egress; empty when the kernel does not tell' AFTER tcp_flags,
    ADD COLUMN IF NOT EXISTS passage Enum8('unknown' = 0, 'in' = 1, 'forward' = 2, 'out' = 3) COMMENT 'whether the discarded packet was coming in at the device, being passed on, or going out' AFTER hook,
    ADD COLUMN IF NOT EXISTS toward Enum8('unknown' = 0, 'server' = 1, 'client' = 2) COMMENT 'end of the flow that the discarded packet was going to' AFTER passage;

ALTER TABLE weir.flows ON CLUSTER 'shop'
    ADD COLUMN IF NOT EXISTS hook LowCardinality(String) COMMENT 'firewall hook, tc, queue or program that discarded the packet, such as forward or tc egress; empty when the kernel does not tell' AFTER tcp_flags,
    ADD COLUMN IF NOT EXISTS passage Enum8('unknown' = 0, 'in' = 1, 'forward' = 2, 'out' = 3) COMMENT 'whether the discarded packet was coming in at the device, being passed on, or going out' AFTER hook,
    ADD COLUMN IF NOT EXISTS toward Enum8('unknown' = 0, 'server' = 1, 'client' = 2) COMMENT 'end of the flow that the discarded packet was going to' AFTER passage;

ALTER TABLE weir.drops_1m_local ON CLUSTER 'shop'
    ADD COLUMN IF NOT EXISTS hook LowCardinality(String) COMMENT 'firewall hook, tc, queue or program that discarded the packets; empty when the kernel does not tell' AFTER device,
    ADD COLUMN IF NOT EXISTS passage Enum8('unknown' = 0, 'in' = 1, 'forward' = 2, 'out' = 3) COMMENT 'whether the packets were coming in at the device, being passed on, or going out' AFTER hook,
    ADD COLUMN IF NOT EXISTS toward Enum8('unknown' = 0, 'server' = 1, 'client' = 2) COMMENT 'end of the flow that the packets were going to' AFTER passage,
    MODIFY ORDER BY (minute, reason, src_id, dst_id, dst_port, protocol, location, verdict, node, device, hook, passage, toward);

ALTER TABLE weir.drops_1m ON CLUSTER 'shop'
    ADD COLUMN IF NOT EXISTS hook LowCardinality(String) COMMENT 'firewall hook, tc, queue or program that discarded the packets; empty when the kernel does not tell' AFTER device,
    ADD COLUMN IF NOT EXISTS passage Enum8('unknown' = 0, 'in' = 1, 'forward' = 2, 'out' = 3) COMMENT 'whether the packets were coming in at the device, being passed on, or going out' AFTER hook,
    ADD COLUMN IF NOT EXISTS toward Enum8('unknown' = 0, 'server' = 1, 'client' = 2) COMMENT 'end of the flow that the packets were going to' AFTER passage;

ALTER TABLE weir.flows_to_drops_1m ON CLUSTER 'shop' MODIFY QUERY
SELECT
    toStartOfMinute(toDateTime(ts, 'UTC')) AS minute,
    reason, location, src_id, dst_id, dst_port, protocol, verdict, node, device, hook, passage, toward,
    count() AS reports,
    sum(toUInt64(drops)) AS drops,
    min(ts) AS first_seen,
    max(ts) AS last_seen
FROM weir.flows_local
WHERE kind = 'drop'
GROUP BY minute, reason, location, src_id, dst_id, dst_port, protocol, verdict, node, device, hook, passage, toward;

-- What a policy is tried on tells IP versions apart, and where outside it went. Blocks of one version never match the other, so tuples
-- carry it. Ends without a namespace, or with a DNS name, are mostly outside (fqdn, cidr): their addresses are kept as those of reserved
-- identities were. Hours from before say 0 and ::.
ALTER TABLE weir.tuples_1h_local ON CLUSTER 'shop'
    ADD COLUMN IF NOT EXISTS family UInt8 COMMENT 'IP version, 4 or 6; 0 in hours recorded before this column' AFTER l7,
    MODIFY ORDER BY (hour, dst_id, src_id, protocol, dst_port, icmp_type, direction, src_addr, dst_addr, dst_name, l7, family);

ALTER TABLE weir.tuples_1h ON CLUSTER 'shop'
    ADD COLUMN IF NOT EXISTS family UInt8 COMMENT 'IP version, 4 or 6; 0 in hours recorded before this column' AFTER l7;

ALTER TABLE weir.tuples_1h_local ON CLUSTER 'shop'
    COMMENT COLUMN src_addr 'client address where src_id is below 256 or the client has no namespace, else ::',
    COMMENT COLUMN dst_addr 'server address where dst_id is below 256 or the server has no namespace or has a DNS name, else ::';

ALTER TABLE weir.flows_to_tuples_1h ON CLUSTER 'shop' MODIFY QUERY
SELECT
    toStartOfHour(toDateTime(ts, 'UTC')) AS hour,
    dst_id, src_id, protocol, dst_port,
    if(protocol IN (1, 58), f.icmp_type, 0) AS icmp_type,
    direction,
    if(src_id < 256 OR f.src_ns = '' OR f.src_name != '', f.src_addr, toIPv6('::')) AS src_addr,
    if(dst_id < 256 OR f.dst_ns = '' OR f.dst_name != '', f.dst_addr, toIPv6('::')) AS dst_addr,
    dst_name,
    '' AS l7,
    if(startsWith(toString(f.dst_addr), '::ffff:'), 4, 6) AS family,
    sumIf(toUInt64(f.opened), f.counted = 1) AS opened,
    sumIf(toUInt64(f.failed), f.counted = 1) AS failed,
    sum(toUInt64(f.drops)) AS drops,
    sumIf(f.bytes_to_server + f.bytes_to_client, f.counted = 1) AS bytes,
    min(f.ts) AS first_seen,
    max(f.ts) AS last_seen,
    anyLast(toString(f.node)) AS sample_node,
    anyLast(f.row_id) AS sample_row
FROM weir.flows_local AS f
GROUP BY hour, dst_id, src_id, protocol, dst_port, icmp_type, direction, src_addr, dst_addr, dst_name, family;

-- Ports by name: what a policy's `port: http` stands for on an identity. Collectors repeat what they know every ten minutes, so a
-- number that was changed ages.
CREATE TABLE IF NOT EXISTS weir.named_ports_local ON CLUSTER 'shop'
(
    identity   UInt64                 COMMENT 'identity whose pods or processes name the port so',
    name       LowCardinality(String) COMMENT 'name of the port',
    protocol   UInt8                  COMMENT 'IP protocol number: 6 TCP, 17 UDP, 132 SCTP',
    port       UInt16                 COMMENT 'number of the port',
    first_seen SimpleAggregateFunction(min, DateTime64(3, 'UTC')) COMMENT 'first time that a node knew it',
    last_seen  SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'last time that a node knew it'
)
ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}')
ORDER BY (identity, name, protocol, port)
SETTINGS replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'port names of identities; group by identity, name, protocol, port';

CREATE TABLE IF NOT EXISTS weir.named_ports ON CLUSTER 'shop' AS weir.named_ports_local
ENGINE = Distributed('shop', 'weir', 'named_ports_local', identity);
