import type { Filter } from "../../model/filter/ast.ts";
import { formatFilter, parseFilter } from "../../model/filter/parse.ts";

/** True when the filter asks for the value of `term` ("reason:NO_SOCKET"), alone or among others. */
export function isChosen(filter: Filter, term: string): boolean {
  const { key, value } = parts(term);
  return filter.terms.some((own) => own.key === key && !own.negated && values(own.text).includes(value));
}

/** `q` with the value of `term` added to what its key asks for, or taken away when it is there: values of one key mean "or". */
export function toggleTerm(q: string, term: string): string {
  const { key, value } = parts(term);
  const { filter } = parseFilter(q);
  const own = filter.terms.find((one) => one.key === key && !one.negated);
  if (own === undefined) return q.trim() === "" ? term : `${q.trim()} ${term}`;
  const chosen = values(own.text);
  const rest = chosen.includes(value) ? chosen.filter((one) => one !== value) : [...chosen, value];
  const text = `${key}:${rest.join(",")}`;
  const terms = filter.terms.flatMap((one) => (one !== own ? [one] : rest.length === 0 ? [] : [{ ...one, text }]));
  return formatFilter({ terms });
}

/** `q` with the value of `term` excluded: `-reason:TCP_OLD_DATA`. What asked for it goes. */
export function excludeTerm(q: string, term: string): string {
  const without = isChosen(parseFilter(q).filter, term) ? toggleTerm(q, term) : q.trim();
  return without === "" ? `-${term}` : `${without} -${term}`;
}

function parts(term: string): { readonly key: string; readonly value: string } {
  const colon = term.indexOf(":");
  return { key: term.slice(0, colon), value: term.slice(colon + 1) };
}

/** The alternatives of a term as they were written, quotes and all. */
function values(text: string): readonly string[] {
  const list: string[] = [];
  let quoted = false;
  let start = text.indexOf(":") + 1;
  for (let i = start; i <= text.length; i++) {
    if (quoted && text[i] === "\\") i++;
    else if (text[i] === '"') quoted = !quoted;
    else if (i === text.length || (text[i] === "," && !quoted)) {
      list.push(text.slice(start, i));
      start = i + 1;
    }
  }
  return list;
}
