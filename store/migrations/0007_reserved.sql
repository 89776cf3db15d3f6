-- The identities that have no labels of their own keep Cilium's numbers and names (model/identity.ts), so that their names are known
-- before any node has reported. A time in 1970 says: not seen, known.
INSERT INTO @table(identities) (id, kind, shape, namespace, workload, labels, cilium_id, first_seen, last_seen)
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
