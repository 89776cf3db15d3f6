import type { Condition, Filter } from "../../../model/filter/ast.ts";
import type { Flow } from "../../../model/flow.ts";
import { milliseconds } from "../../../model/time.ts";
import type { ExampleAnswer } from "../../../model/wire/answers/drops.ts";
import { connectionLife } from "../../../store/queries/connection-life.ts";
import { flowsPage } from "../../../store/queries/flows-page.ts";
import type { RangeQuestion } from "../../../store/queries/question.ts";
import type { Ends } from "../../../store/queries/where.ts";
import type { RouteContext } from "../answering.ts";
import type { RangedQuestion } from "../question.ts";

interface Edge {
  readonly src?: string | undefined;
  readonly dst?: string | undefined;
  readonly port?: number | undefined;
  readonly protocol?: number | undefined;
}

/** The page's range and scope, cut to an edge and to rows for which all of `conditions` hold. The page's filter chose the line already. */
export function narrowed(asked: RangedQuestion & Edge, conditions: readonly Condition[]): RangeQuestion {
  const { range, scope, src, dst, port, protocol } = asked;
  const all: Condition[] = [
    ...conditions,
    ...(port === undefined ? [] : [{ on: "port" as const, from: port, to: port }]),
    ...(protocol === undefined ? [] : [{ on: "protocol" as const, protocol }]),
  ];
  const filter: Filter = {
    terms: all.map((condition) => ({ key: undefined, negated: false, any: [condition], text: "", at: 0 })),
  };
  return { range, scope, filter, ends: endsOf(src, dst) };
}

function endsOf(source: string | undefined, destination: string | undefined): Ends {
  return {
    ...(source === undefined ? {} : { source: [source] }),
    ...(destination === undefined ? {} : { destination: [destination] }),
  };
}

/** Rows that are looked at for one whose connection tells more than the row itself. */
const CANDIDATES = 12;

/**
 * A row of `question` and the life of its connection: the newest, unless its end is still to come while an older one's is known.
 * Rows without a client's port have no connection to look up.
 */
export async function exampleOf(
  question: RangeQuestion,
  { store, signal }: Pick<RouteContext, "store" | "signal">,
): Promise<ExampleAnswer> {
  const page = await flowsPage(store, { ...question, limit: CANDIDATES }, signal);
  const newest = page.flows[0];
  if (newest === undefined) return { flow: null, life: [] };
  const lifeOf = async (flow: Flow): Promise<ExampleAnswer> => {
    if (flow.source.port === 0) return { flow, life: [flow] };
    const at = milliseconds(Date.parse(flow.time));
    return {
      flow,
      life: (await connectionLife(store, { rowId: flow.rowId, at, scope: question.scope }, signal)).flows,
    };
  };
  const first = await lifeOf(newest);
  const older = page.flows.at(-1);
  if (older === undefined || older === newest || tellsTheEnd(first.life)) return first;
  const second = await lifeOf(older);
  return tellsTheEnd(second.life) ? second : first;
}

function tellsTheEnd(life: readonly Flow[]): boolean {
  return life.some((flow) => flow.kind === "fail" || flow.kind === "close");
}
