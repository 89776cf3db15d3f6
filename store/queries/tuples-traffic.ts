/** What a policy is tried on, whole: the unique traffic of a range, who took part, and what was lost of it. Several questions in one answer. */
import type { TrafficAnswer } from "../../model/wire/answers/what-if.ts";
import type { StoreReader } from "../reader.ts";
import { booksInRange } from "./books-in-range.ts";
import { dnsNames } from "./dns-names.ts";
import { identitiesInRange } from "./identities-in-range.ts";
import type { RangeQuestion } from "./question.ts";
import { identityAddresses, identityPorts } from "./tuples-names.ts";
import { tuples } from "./tuples.ts";

const MOST_NAMES = 10_000;
const MOST_IDENTITIES = 500_000;

/** At most `limit` tuples, those with the most traffic first. Identities are those that tuples name, peers outside of the scope included: without their labels a selector could not match the far end. Throws StoreError. */
export async function trafficInRange(
  store: StoreReader,
  question: RangeQuestion & { readonly limit: number },
  signal: AbortSignal,
): Promise<TrafficAnswer> {
  const { range } = question;
  const [traffic, identities, books, looked, addresses, ports] = await Promise.all([
    tuples(store, question, signal),
    identitiesInRange(store, { range, scope: [], limit: MOST_IDENTITIES }, signal),
    booksInRange(store, range, signal),
    dnsNames(store, { range, scope: [], part: "", limit: MOST_NAMES }, signal),
    identityAddresses(store, range, signal),
    identityPorts(store, range, signal),
  ]);
  const ends = new Set<string>(traffic.tuples.flatMap((tuple) => [tuple.source, tuple.destination]));
  const { produced, lost, shed, quarantined } = books.total;
  return {
    tuples: traffic,
    identities: { ...identities, identities: identities.identities.filter(({ id }) => ends.has(id)) },
    names: looked.names.flatMap(({ name, addresses: told }) => (told.length === 0 ? [] : [{ name, addresses: told }])),
    addresses: addresses.filter(({ id }) => ends.has(id)),
    ports: ports.filter(({ id }) => ends.has(id)),
    books: { produced, lost: lost + shed + quarantined },
  };
}
