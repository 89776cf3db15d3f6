/**
 * Hot: a filter as a test on rows, before any Flow object is made. Answers what model/filter/match.ts answers for the row's flow
 * (filter.test.ts compares the two). Conditions on an end depend on its party alone and are remembered for each party.
 */
import { cidrContains, parseCidr } from "../../model/address.ts";
import { unreachable } from "../../model/errors.ts";
import { FLOW_KINDS, REPORTERS, TOWARDS, VERDICTS, type FlowEnd } from "../../model/flow.ts";
import type { Condition, EndMatch, Filter } from "../../model/filter/ast.ts";
import { compileFilter } from "../../model/filter/match.ts";
import { bytesOf } from "../decode/columns.ts";
import type { Identities, Party } from "../identity/identities.ts";
import type { FlowRows } from "../rows/flow-rows.ts";
import { flowOf } from "../rows/flow-of.ts";
import type { Reporter } from "../rows/encode.ts";
import type { Strings } from "../rows/strings.ts";

/** True when the row passes. */
export type RowTest = (rows: FlowRows, row: number) => boolean;

export interface RowNames {
  readonly reporter: Reporter;
  readonly identities: Identities;
  readonly strings: Strings;
}

/** The filter as a test on settled rows. */
export function compileRowFilter(filter: Filter, names: RowNames): RowTest {
  const terms = filter.terms.map((term) => {
    const tests = term.any.map((condition) => compileCondition(condition, names));
    const { negated } = term;
    return (rows: FlowRows, row: number) => {
      for (const test of tests) if (test(rows, row)) return !negated;
      return negated;
    };
  });
  return (rows, row) => {
    for (const term of terms) if (!term(rows, row)) return false;
    return true;
  };
}

function compileCondition(condition: Condition, names: RowNames): RowTest {
  const { strings } = names;
  switch (condition.on) {
    case "source":
      return endTest(condition.match, names, "source");
    case "destination":
      return endTest(condition.match, names, "destination");
    case "either": {
      const source = endTest(condition.match, names, "source");
      const destination = endTest(condition.match, names, "destination");
      return (rows, row) => source(rows, row) || destination(rows, row);
    }
    case "port":
      return (rows, row) => rows.destinationPort[row]! >= condition.from && rows.destinationPort[row]! <= condition.to;
    case "protocol":
      return (rows, row) => rows.protocol[row] === condition.protocol;
    case "verdict": {
      const number = VERDICTS.findIndex((each) => each === condition.value);
      return (rows, row) => rows.verdict[row] === number;
    }
    case "kind": {
      const number = FLOW_KINDS.findIndex((each) => each === condition.value);
      return (rows, row) => rows.kind[row] === number;
    }
    case "reporter": {
      const number = REPORTERS.findIndex((each) => each === condition.value);
      return (rows, row) => rows.reporter[row] === number;
    }
    case "reason":
      return (rows, row) => strings.at(rows.reason[row]!) === condition.value;
    case "process":
      return (rows, row) => strings.at(rows.process[row]!) === condition.value;
    case "service":
      return (rows, row) => strings.at(rows.serviceName[row]!) === condition.value;
    case "location":
      return (rows, row) => strings.at(rows.location[row]!) === condition.value;
    case "hook":
      return (rows, row) => strings.at(rows.hook[row]!) === condition.value;
    case "toward": {
      const number = TOWARDS.findIndex((each) => each === condition.value);
      return (rows, row) => rows.toward[row] === number;
    }
    case "node":
      return () => names.reporter.node === condition.value;
    default:
      return unreachable(condition);
  }
}

type Side = "source" | "destination";

function endTest(match: EndMatch, names: RowNames, side: Side): RowTest {
  if (match.kind === "block") {
    const cidr = parseCidr(match.cidr);
    if (cidr === undefined) return () => false;
    return (rows, row) => cidrContains(cidr, bytesOf(rows[side]), row * 16);
  }
  const { identities } = names;
  // the flow's own test, asked once a party with a flow that has only this end
  const whole = compileFilter(
    { terms: [{ key: undefined, negated: false, any: [{ on: "source", match }], text: "", at: 0 }] },
    (id) => identities.labelsOf(id),
  );
  const answers: (boolean | undefined)[] = [];
  const column = side === "source" ? "sourceParty" : "destinationParty";
  return (rows, row) => {
    const index = rows[column][row]!;
    return (answers[index] ??= whole({
      ...flowOf(rows, row, names.reporter, identities, names.strings),
      source: endOf(identities.at(index)),
    }));
  };
}

function endOf({ identity, endpoint, name }: Party): FlowEnd {
  return {
    id: identity.id,
    namespace: identity.namespace,
    workload: identity.workload,
    endpoint,
    address: "",
    port: 0,
    name,
  };
}
