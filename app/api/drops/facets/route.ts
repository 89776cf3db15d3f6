import type { FilterKey } from "../../../../model/filter/ast.ts";
import type { DropsFacetsAnswer } from "../../../../model/wire/answers/drops.ts";
import { dropsFacets } from "../../../../store/queries/drops-facets.ts";
import { rangedRoute } from "../../answering.ts";
import { DropParams, dropQuestion } from "../question.ts";

/** Which key of the filter chooses a value of which facet. */
const OWN_KEY = {
  reason: "reason",
  source: "src",
  destination: "dst",
  port: "port",
  node: "node",
  location: "location",
} as const satisfies Partial<Record<keyof DropsFacetsAnswer, FilterKey>>;

/** The drops of the range counted by reason, source, destination, port, function and node. */
export const GET = rangedRoute(DropParams, async (asked, context): Promise<DropsFacetsAnswer> => {
  const { question, hidden } = await dropQuestion(asked, context);
  const { store, signal } = context;
  const facets = Object.keys(OWN_KEY) as (keyof typeof OWN_KEY)[];
  const chosen = facets.filter((facet) => question.filter.terms.some((term) => term.key === OWN_KEY[facet]));
  const [whole, ...others] = await Promise.all([
    dropsFacets(store, question, signal),
    ...chosen.map((facet) => {
      const terms = question.filter.terms.filter((term) => term.key !== OWN_KEY[facet]);
      return dropsFacets(store, { ...question, filter: { terms } }, signal);
    }),
  ]);
  const lists = Object.fromEntries(chosen.map((facet, index) => [facet, others[index]![facet]]));
  return { ...whole, ...lists, hidden };
});
