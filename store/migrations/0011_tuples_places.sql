-- What a policy is tried on tells IP versions apart, and where outside it went. Blocks of one version never match the other, so tuples
-- carry it. Ends without a namespace, or with a DNS name, are mostly outside (fqdn, cidr): their addresses are kept as those of reserved
-- identities were. Hours from before say 0 and ::.
ALTER TABLE @table(tuples_1h) @cluster
    ADD COLUMN IF NOT EXISTS family UInt8 COMMENT 'IP version, 4 or 6; 0 in hours recorded before this column' AFTER l7,
    MODIFY ORDER BY (hour, dst_id, src_id, protocol, dst_port, icmp_type, direction, src_addr, dst_addr, dst_name, l7, family);

ALTER TABLE @view(tuples_1h) @cluster
    ADD COLUMN IF NOT EXISTS family UInt8 COMMENT 'IP version, 4 or 6; 0 in hours recorded before this column' AFTER l7;

ALTER TABLE @table(tuples_1h) @cluster
    COMMENT COLUMN src_addr 'client address where src_id is below 256 or the client has no namespace, else ::',
    COMMENT COLUMN dst_addr 'server address where dst_id is below 256 or the server has no namespace or has a DNS name, else ::';

ALTER TABLE @view(flows_to_tuples_1h) @cluster MODIFY QUERY
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
FROM @table(flows) AS f
GROUP BY hour, dst_id, src_id, protocol, dst_port, icmp_type, direction, src_addr, dst_addr, dst_name, family;

-- Ports by name: what a policy's `port: http` stands for on an identity. Collectors repeat what they know every ten minutes, so a
-- number that was changed ages.
CREATE TABLE IF NOT EXISTS @table(named_ports) @cluster
(
    identity   UInt64                 COMMENT 'identity whose pods or processes name the port so',
    name       LowCardinality(String) COMMENT 'name of the port',
    protocol   UInt8                  COMMENT 'IP protocol number: 6 TCP, 17 UDP, 132 SCTP',
    port       UInt16                 COMMENT 'number of the port',
    first_seen SimpleAggregateFunction(min, DateTime64(3, 'UTC')) COMMENT 'first time that a node knew it',
    last_seen  SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'last time that a node knew it'
)
ENGINE = @engine(AggregatingMergeTree)
ORDER BY (identity, name, protocol, port)
SETTINGS @durable
COMMENT 'port names of identities; group by identity, name, protocol, port';
