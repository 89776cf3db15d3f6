import type { Position } from "./problem.ts";
import { quote, type Cursor } from "./reader.ts";

export type SelectorOperator = "In" | "NotIn" | "Exists" | "DoesNotExist";
const OPERATORS: readonly SelectorOperator[] = ["In", "NotIn", "Exists", "DoesNotExist"];

/** One condition on a label; conditions of a selector are and-ed. `NotIn` and `DoesNotExist` hold where the key is missing. */
export interface Requirement {
  readonly key: string;
  readonly operator: SelectorOperator;
  readonly values: readonly string[];
  /** Written in `matchLabels`, where a key stands once and a later one takes its place. */
  readonly isLabel?: true;
}

/** metav1.LabelSelector, `matchLabels` written as `In` of one value. No requirement = everything. */
export interface LabelSelector {
  readonly requirements: readonly Requirement[];
  readonly position: Position;
  readonly path: string;
}

export interface SelectorRules {
  /** Is this a key that the kind allows? */
  readonly validKey: (key: string) => boolean;
  readonly keyForm: string;
}

const NAME = /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const PREFIX = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

/** True for a key as the API server takes it: an optional DNS prefix and a slash, then a name of up to 63 characters. */
export function isLabelKey(key: string): boolean {
  const slash = key.indexOf("/");
  if (slash < 0) return NAME.test(key);
  const prefix = key.slice(0, slash);
  return prefix.length <= 253 && PREFIX.test(prefix) && NAME.test(key.slice(slash + 1));
}

/** True for a label's value: empty, or up to 63 letters, digits, `-`, `_`, `.`, a letter or digit at both ends. */
export function isLabelValue(value: string): boolean {
  return value === "" || NAME.test(value);
}

export const KUBERNETES_LABELS: SelectorRules = {
  validKey: isLabelKey,
  keyForm: "a label key such as app or example.com/role",
};

/** Reads a selector, or undefined when it is no object. What is wrong in it is noted; wrong requirements are left out. */
export function readLabelSelector(cursor: Cursor, rules: SelectorRules = KUBERNETES_LABELS): LabelSelector | undefined {
  const fields = cursor.fields(["matchLabels", "matchExpressions"]);
  if (fields === undefined) return undefined;
  const requirements: Requirement[] = [];
  const labels = fields.get("matchLabels")?.fields();
  for (const key of labels?.names() ?? []) {
    const field = labels!.require(key);
    if (!rules.validKey(key)) field.problem(`${quote(key)} is no label key`, rules.keyForm);
    const value = field.isNull ? "" : field.string("a label's value");
    if (value === undefined) continue;
    if (!isLabelValue(value)) field.problem(`${quote(value)} is no label value`, "up to 63 letters, digits, -, _ or .");
    requirements.push({ key, operator: "In", values: [value], isLabel: true });
  }
  for (const item of fields.get("matchExpressions")?.items("a list of {key, operator, values}") ?? []) {
    const requirement = readRequirement(item, rules);
    if (requirement !== undefined) requirements.push(requirement);
  }
  return { requirements, position: cursor.position, path: cursor.path };
}

function readRequirement(item: Cursor, rules: SelectorRules): Requirement | undefined {
  const fields = item.fields(["key", "operator", "values"]);
  const keyField = fields?.need("key", "a label key");
  const key = keyField?.string("a label key");
  const operator = fields?.need("operator", OPERATORS.join(", "))?.oneOf(OPERATORS);
  if (key === undefined || operator === undefined) return undefined;
  if (!rules.validKey(key)) keyField?.problem(`${quote(key)} is no label key`, rules.keyForm);
  const values: string[] = [];
  for (const value of fields?.get("values")?.items("a list of values") ?? []) {
    const text = value.string("a label's value");
    if (text === undefined) continue;
    if (!isLabelValue(text)) value.problem(`${quote(text)} is no label value`, "up to 63 letters, digits, -, _ or .");
    values.push(text);
  }
  const needsValues = operator === "In" || operator === "NotIn";
  if (needsValues && values.length === 0) item.problem(`${operator} has no values`, "at least one value");
  if (!needsValues && values.length > 0) item.problem(`${operator} takes no values`, "no values");
  return { key, operator, values };
}

/** True when labels meet every requirement. The obvious judge that the compiled bitmaps are held against. */
export function selectorMatches(selector: LabelSelector, labels: ReadonlyMap<string, string>): boolean {
  return selector.requirements.every((requirement) => requirementMatches(requirement, labels.get(requirement.key)));
}

/** True when a label's value (undefined = the key is missing) meets the requirement. */
export function requirementMatches(requirement: Requirement, value: string | undefined): boolean {
  switch (requirement.operator) {
    case "In":
      return value !== undefined && requirement.values.includes(value);
    case "NotIn":
      return value === undefined || !requirement.values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
  }
}

/** The same text for selectors that mean the same: order of requirements and values does not count. */
export function selectorKey(selector: LabelSelector): string {
  const parts = selector.requirements.map(({ key, operator, values }) =>
    JSON.stringify([key, operator, ...[...new Set(values)].sort()]),
  );
  return [...new Set(parts)].sort().join(";");
}

/** What labels lack to meet requirements, in words: `label tier=back (it has tier=front)`. */
export function unmetRequirements(
  requirements: readonly Requirement[],
  get: (key: string) => string | undefined,
): string[] {
  return requirements.flatMap((requirement) => {
    const value = get(requirement.key);
    if (requirementMatches(requirement, value)) return [];
    const has = value === undefined ? "missing" : `it has ${requirement.key}=${value}`;
    const wanted = selectorText({ requirements: [requirement], position: { file: "", line: 0, column: 0 }, path: "" });
    return [`label ${wanted} (${has})`];
  });
}

/** A selector for a person: `app=web, tier in (back, front), !legacy`; "" for everything. */
export function selectorText(selector: LabelSelector): string {
  return selector.requirements
    .map(({ key, operator, values }) => {
      if (operator === "Exists") return key;
      if (operator === "DoesNotExist") return `!${key}`;
      if (operator === "In" && values.length === 1) return `${key}=${values[0] === "" ? '""' : values[0]}`;
      if (operator === "NotIn" && values.length === 1) return `${key}!=${values[0]}`;
      return `${key} ${operator === "In" ? "in" : "not in"} (${values.join(", ")})`;
    })
    .join(", ");
}
