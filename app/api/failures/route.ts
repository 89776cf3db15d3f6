import { z } from "zod";
import type { Filter, FilterTerm } from "../../../model/filter/ast.ts";
import type { FailedEdge } from "../../../model/wire/answers/drops.ts";
import { failures } from "../../../store/queries/failures.ts";
import { rangedRoute } from "../answering.ts";

const Question = z.object({ limit: z.coerce.number().int().min(1).max(1000).default(100) });

/** Failed attempts by edge and error, with the drops that match them. A `reason:` of the filter may name the error or the drop behind it. */
export const GET = rangedRoute(Question, async ({ range, filter, scope, limit }, { store, signal }) => {
  const { others, causal } = split(filter);
  const answer = await failures(store, { range, filter: others, scope, limit }, signal);
  if (causal.length === 0) return answer;
  const kept = answer.failures.filter((edge) => causal.every((term) => fits(term, edge)));
  return { ...answer, failures: kept, total: kept.reduce((sum, edge) => sum + edge.failed, 0) };
});

/** Terms about reason, function and node of a drop say nothing of the row that tells the failure: they are asked of the drops behind it. */
function split(filter: Filter): { readonly others: Filter; readonly causal: readonly FilterTerm[] } {
  const isCausal = (term: FilterTerm): boolean => term.key === "reason" || term.key === "location";
  return {
    others: { terms: filter.terms.filter((term) => !isCausal(term)) },
    causal: filter.terms.filter(isCausal),
  };
}

function fits(term: FilterTerm, edge: FailedEdge): boolean {
  const named = term.any.some((condition) => condition.on === "reason" && condition.value === edge.reason);
  if (term.negated) return !named; // "-reason:TCP_OLD_DATA" hides those drops, not the failures beside them
  return (
    named ||
    term.any.some(
      (condition) =>
        (condition.on === "reason" && edge.causes.some((cause) => cause.reason === condition.value)) ||
        (condition.on === "location" && edge.causes.some((cause) => cause.location === condition.value)),
    )
  );
}
