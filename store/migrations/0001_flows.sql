-- What the nodes report, one row a report, kept as it came: a drill-down must be able to say what the kernel said.
-- Sort key: five-minute slots first, because every question has a range and most have only that; inside a slot by who was
-- called, so that one edge of a slot lies together (8 of 10 columns repeat there and compress to almost nothing).
-- The window of remembered blocks is what makes a segment that is sent twice count once.
CREATE TABLE IF NOT EXISTS @table(flows) @cluster
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
ENGINE = @engine(MergeTree)
PARTITION BY toDate(ts)
ORDER BY (toStartOfFiveMinutes(ts), dst_id, dst_port, src_id, ts)
TTL toDateTime(ts) + INTERVAL @ttl(flows) DAY
SETTINGS @durable, ttl_only_drop_parts = 1
COMMENT 'one row a report: connection opened, closed, failed or alive, datagrams, drop or verdict, in the direction client to server';
