/** What identities are known by in a range beside their labels: addresses, for blocks in policies, and port names. Answered by endpoints and named_ports. */
import { z } from "zod";
import type { TimeRange } from "../../model/time.ts";
import type { TrafficAnswer } from "../../model/wire/answers/what-if.ts";
import type { StoreReader } from "../reader.ts";
import { address } from "./edge-details.ts";
import { rangeParams } from "./question.ts";

export const ADDRESSES_SQL = `
SELECT toString(e.identity) AS id, arraySort(groupUniqArray(10000)(e.address)) AS addresses
FROM
(
  SELECT address, identity, valid_from, valid_to,
    min(valid_from) OVER (PARTITION BY address ORDER BY valid_from ROWS BETWEEN 1 FOLLOWING AND 1 FOLLOWING) AS next_from
  FROM endpoints FINAL
  WHERE valid_from < {to:DateTime64(3, 'UTC')}
) AS e
WHERE e.identity >= 256 AND if(e.next_from > e.valid_from, least(e.valid_to, e.next_from), e.valid_to) >= {from:DateTime64(3, 'UTC')}
  AND NOT isIPAddressInRange(toString(e.address), 'fe80::/10') AND NOT isIPAddressInRange(toString(e.address), '::ffff:127.0.0.0/104')
  AND e.address != toIPv6('::1')
GROUP BY e.identity
ORDER BY id
LIMIT {limit:UInt32}`;

export const PORTS_SQL = `
SELECT toString(p.identity) AS id, p.name AS name, p.protocol AS protocol, p.port AS port
FROM
(
  SELECT identity, name, protocol, port, min(first_seen) AS since, max(last_seen) AS until,
    max(until) OVER (PARTITION BY identity, name, protocol) AS newest
  FROM named_ports
  GROUP BY identity, name, protocol, port
  HAVING since < {to:DateTime64(3, 'UTC')} AND until >= {from:DateTime64(3, 'UTC')} - INTERVAL 1 HOUR
) AS p
WHERE p.until >= p.newest - INTERVAL 1 HOUR
ORDER BY p.identity, name, protocol, port
LIMIT {limit:UInt32}`;

const AddressRow = z.object({ id: z.string(), addresses: z.array(address()) });
const PortRow = z.object({ id: z.string(), name: z.string(), protocol: z.number(), port: z.number() });
const PROTOCOLS: ReadonlyMap<number, string> = new Map([
  [6, "TCP"],
  [17, "UDP"],
  [132, "SCTP"],
]);
const MOST_ROWS = 200_000;

/** Addresses that identities had at any time of the range (until somebody else had them, where no end was written), without those that only their own machine or link knows. Throws StoreError. */
export async function identityAddresses(
  store: StoreReader,
  range: TimeRange,
  signal: AbortSignal,
): Promise<TrafficAnswer["addresses"]> {
  return store.rows({ sql: ADDRESSES_SQL, row: AddressRow }, { ...rangeParams(range), limit: MOST_ROWS }, signal);
}

/** Port names that identities had in the range; of a name whose number was changed the last ones. Throws StoreError. */
export async function identityPorts(
  store: StoreReader,
  range: TimeRange,
  signal: AbortSignal,
): Promise<TrafficAnswer["ports"]> {
  const rows = await store.rows({ sql: PORTS_SQL, row: PortRow }, { ...rangeParams(range), limit: MOST_ROWS }, signal);
  return [...Map.groupBy(rows, (row) => row.id)].map(([id, own]) => ({
    id,
    ports: own.flatMap(({ name, port, protocol }) => {
      const text = PROTOCOLS.get(protocol);
      return text === undefined ? [] : [{ name, port, protocol: text }];
    }),
  }));
}
