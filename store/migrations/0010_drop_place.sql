-- Where on its way a packet was dropped, and to which end it was going: the kernel function alone says neither (nft_do_chain is every
-- firewall hook's). Rows from before say '' and unknown. The roll-up keeps them apart, so they are part of its sort key.
ALTER TABLE @table(flows) @cluster
    ADD COLUMN IF NOT EXISTS hook LowCardinality(String) COMMENT 'firewall hook, tc, queue or program that discarded the packet, such as forward or tc egress; empty when the kernel does not tell' AFTER tcp_flags,
    ADD COLUMN IF NOT EXISTS passage Enum8('unknown' = 0, 'in' = 1, 'forward' = 2, 'out' = 3) COMMENT 'whether the discarded packet was coming in at the device, being passed on, or going out' AFTER hook,
    ADD COLUMN IF NOT EXISTS toward Enum8('unknown' = 0, 'server' = 1, 'client' = 2) COMMENT 'end of the flow that the discarded packet was going to' AFTER passage;

ALTER TABLE @view(flows) @cluster
    ADD COLUMN IF NOT EXISTS hook LowCardinality(String) COMMENT 'firewall hook, tc, queue or program that discarded the packet, such as forward or tc egress; empty when the kernel does not tell' AFTER tcp_flags,
    ADD COLUMN IF NOT EXISTS passage Enum8('unknown' = 0, 'in' = 1, 'forward' = 2, 'out' = 3) COMMENT 'whether the discarded packet was coming in at the device, being passed on, or going out' AFTER hook,
    ADD COLUMN IF NOT EXISTS toward Enum8('unknown' = 0, 'server' = 1, 'client' = 2) COMMENT 'end of the flow that the discarded packet was going to' AFTER passage;

ALTER TABLE @table(drops_1m) @cluster
    ADD COLUMN IF NOT EXISTS hook LowCardinality(String) COMMENT 'firewall hook, tc, queue or program that discarded the packets; empty when the kernel does not tell' AFTER device,
    ADD COLUMN IF NOT EXISTS passage Enum8('unknown' = 0, 'in' = 1, 'forward' = 2, 'out' = 3) COMMENT 'whether the packets were coming in at the device, being passed on, or going out' AFTER hook,
    ADD COLUMN IF NOT EXISTS toward Enum8('unknown' = 0, 'server' = 1, 'client' = 2) COMMENT 'end of the flow that the packets were going to' AFTER passage,
    MODIFY ORDER BY (minute, reason, src_id, dst_id, dst_port, protocol, location, verdict, node, device, hook, passage, toward);

ALTER TABLE @view(drops_1m) @cluster
    ADD COLUMN IF NOT EXISTS hook LowCardinality(String) COMMENT 'firewall hook, tc, queue or program that discarded the packets; empty when the kernel does not tell' AFTER device,
    ADD COLUMN IF NOT EXISTS passage Enum8('unknown' = 0, 'in' = 1, 'forward' = 2, 'out' = 3) COMMENT 'whether the packets were coming in at the device, being passed on, or going out' AFTER hook,
    ADD COLUMN IF NOT EXISTS toward Enum8('unknown' = 0, 'server' = 1, 'client' = 2) COMMENT 'end of the flow that the packets were going to' AFTER passage;

ALTER TABLE @view(flows_to_drops_1m) @cluster MODIFY QUERY
SELECT
    toStartOfMinute(toDateTime(ts, 'UTC')) AS minute,
    reason, location, src_id, dst_id, dst_port, protocol, verdict, node, device, hook, passage, toward,
    count() AS reports,
    sum(toUInt64(drops)) AS drops,
    min(ts) AS first_seen,
    max(ts) AS last_seen
FROM @table(flows)
WHERE kind = 'drop'
GROUP BY minute, reason, location, src_id, dst_id, dst_port, protocol, verdict, node, device, hook, passage, toward;
