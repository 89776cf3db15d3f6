import { cidrContains, parseAddress, parseCidr } from "../address.ts";
import type { Flow, FlowEnd } from "../flow.ts";
import type { Labels } from "../identity.ts";
import { unreachable } from "../errors.ts";
import type { Condition, EndMatch, Filter } from "./ast.ts";

/** The labels of an identity; undefined when it is not known (then no label condition holds). */
export type LabelsOf = (identity: string) => Labels | undefined;

/** True when the flow passes the filter. The store's WHERE clause (store/queries/where.ts) answers the same, which a test compares. */
export type FlowTest = (flow: Flow) => boolean;

/** A test for single flows, with everything that can be prepared done once. */
export function compileFilter(filter: Filter, labelsOf: LabelsOf): FlowTest {
  const terms = filter.terms.map((term) => {
    const tests = term.any.map((condition) => compileCondition(condition, labelsOf));
    return (flow: Flow) => tests.some((test) => test(flow)) !== term.negated;
  });
  return (flow) => terms.every((term) => term(flow));
}

function compileCondition(condition: Condition, labelsOf: LabelsOf): FlowTest {
  switch (condition.on) {
    case "source": {
      const test = compileEnd(condition.match, labelsOf);
      return (flow) => test(flow.source);
    }
    case "destination": {
      const test = compileEnd(condition.match, labelsOf);
      return (flow) => test(flow.destination);
    }
    case "either": {
      const test = compileEnd(condition.match, labelsOf);
      return (flow) => test(flow.source) || test(flow.destination);
    }
    case "port":
      return (flow) => flow.destination.port >= condition.from && flow.destination.port <= condition.to;
    case "protocol":
      return (flow) => flow.protocol === condition.protocol;
    case "verdict":
    case "reason":
    case "kind":
    case "reporter":
    case "process":
    case "service":
    case "node":
    case "location":
    case "hook":
    case "toward": {
      const field = condition.on;
      return (flow) => flow[field] === condition.value;
    }
    default:
      return unreachable(condition);
  }
}

function compileEnd(match: EndMatch, labelsOf: LabelsOf): (end: FlowEnd) => boolean {
  switch (match.kind) {
    case "workload": {
      const { namespace, workload } = match;
      return (end) => end.workload === workload && (namespace === undefined || end.namespace === namespace);
    }
    case "namespace":
      return (end) => end.namespace === match.namespace;
    case "label":
      return (end) => {
        const found = labelsOf(end.id)?.[match.key];
        return found !== undefined && (match.value === undefined || found === match.value);
      };
    case "block": {
      const cidr = parseCidr(match.cidr);
      return (end) => {
        const address = parseAddress(end.address);
        return cidr !== undefined && address !== undefined && cidrContains(cidr, address);
      };
    }
    case "name": {
      const test = globTest(match.name);
      return (end) => test(end.name.toLowerCase());
    }
    case "word": {
      const word = match.word.toLowerCase();
      return (end) =>
        end.workload.toLowerCase().includes(word) ||
        end.endpoint.toLowerCase().includes(word) ||
        end.name.toLowerCase().includes(word);
    }
    default:
      return unreachable(match);
  }
}

/** Matches text against a pattern in which `*` stands for any characters; time grows with pattern × text, never faster. */
export function globTest(pattern: string): (text: string) => boolean {
  const parts = pattern.split("*");
  if (parts.length === 1) return (text) => text === pattern;
  const first = parts[0]!;
  const last = parts.at(-1)!;
  const middle = parts.slice(1, -1);
  return (text) => {
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
    let at = first.length;
    const end = text.length - last.length;
    for (const part of middle) {
      const found = text.indexOf(part, at);
      if (found < 0 || found + part.length > end) return false;
      at = found + part.length;
    }
    return true;
  };
}
