-- Who is who, when: what stands behind the ids of flows and roll-ups. Small tables, read whole or by key.
-- Identities never change, so rows of the same id differ only in when it was seen: min and max while merging, no FINAL needed.
CREATE TABLE IF NOT EXISTS @table(identities) @cluster
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
ENGINE = @engine(AggregatingMergeTree)
ORDER BY id
SETTINGS @durable
COMMENT 'identities: sets of labels and the names that people know them by; group by id';

CREATE TABLE IF NOT EXISTS @table(endpoints) @cluster
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
ENGINE = @engine(ReplacingMergeTree, updated)
ORDER BY (address, netns, node, valid_from)
SETTINGS @durable
COMMENT 'which address belonged to whom, from when to when; read FINAL';

CREATE TABLE IF NOT EXISTS @table(services) @cluster
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
ENGINE = @engine(ReplacingMergeTree, updated)
ORDER BY (address, port, protocol, valid_from)
SETTINGS @durable
COMMENT 'service addresses and what stands behind them, from when to when; read FINAL';

CREATE TABLE IF NOT EXISTS @table(policies) @cluster
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
ENGINE = @engine(ReplacingMergeTree, updated)
ORDER BY (uid, valid_from)
SETTINGS @durable
COMMENT 'policies that were in force, from when to when; read FINAL';

CREATE TABLE IF NOT EXISTS @table(nodes) @cluster
(
    node       LowCardinality(String)                            COMMENT 'name of the node',
    boot       UUID                                              COMMENT 'boot id of its kernel',
    kernel     SimpleAggregateFunction(anyLast, String)          COMMENT 'kernel release',
    agent      SimpleAggregateFunction(anyLast, String)          COMMENT 'version of the collector',
    cpus       SimpleAggregateFunction(anyLast, UInt16)          COMMENT 'CPUs online',
    first_seen SimpleAggregateFunction(min, DateTime64(3, 'UTC')) COMMENT 'first report of this boot',
    last_seen  SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'last report of this boot'
)
ENGINE = @engine(AggregatingMergeTree)
ORDER BY (node, boot)
SETTINGS @durable
COMMENT 'nodes that report, by boot; group by node, boot';

CREATE TABLE IF NOT EXISTS @table(dns_answers) @cluster
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
ENGINE = @engine(MergeTree)
PARTITION BY toDate(ts)
ORDER BY (toStartOfHour(ts), name, ts)
TTL toDateTime(ts) + INTERVAL @ttl(dns_answers) DAY
SETTINGS @durable, ttl_only_drop_parts = 1
COMMENT 'DNS answers seen on the wire';
