import { z } from "zod";
import { MOST_TUPLES, type TrafficAnswer } from "../../../model/wire/answers/what-if.ts";
import { booksInRange } from "../../../store/queries/books-in-range.ts";
import { dnsNames } from "../../../store/queries/dns-names.ts";
import { identitiesInRange } from "../../../store/queries/identities-in-range.ts";
import { tuples } from "../../../store/queries/tuples.ts";
import { rangedRoute } from "../answering.ts";

const MOST_NAMES = 10_000;
const Question = z.object({ limit: z.coerce.number().int().min(1).max(MOST_TUPLES).default(MOST_TUPLES) });

/** The unique traffic of the range with the identities that it names and its books: what a policy is tried on. */
export const GET = rangedRoute(
  Question,
  async ({ range, filter, scope, limit }, { store, signal }): Promise<TrafficAnswer> => {
    const [traffic, identities, books, looked] = await Promise.all([
      tuples(store, { range, filter, scope, limit }, signal),
      // Peers outside of the scope have labels, too: without them a selector could not match the far end.
      identitiesInRange(store, { range, scope: [], limit: MOST_TUPLES }, signal),
      booksInRange(store, range, signal),
      dnsNames(store, { range, scope: [], part: "", limit: MOST_NAMES }, signal),
    ]);
    const ends = new Set(traffic.tuples.flatMap((tuple) => [tuple.source, tuple.destination]));
    const named = identities.identities.filter((identity) => ends.has(identity.id));
    const { produced, lost, shed, quarantined } = books.total;
    return {
      tuples: traffic,
      identities: { ...identities, identities: named },
      names: looked.names.flatMap(({ name, addresses }) => (addresses.length === 0 ? [] : [{ name, addresses }])),
      books: { produced, lost: lost + shed + quarantined },
    };
  },
);
