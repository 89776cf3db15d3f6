/** A selector of Calico's as a tree (selector-parser.ts makes it of text): the tree on labels, the tree to canonical text. */
export type Selector =
  | { readonly kind: "all" }
  | { readonly kind: "global" }
  | { readonly kind: "has"; readonly key: string }
  | { readonly kind: SelectorComparison; readonly key: string; readonly value: string }
  | { readonly kind: "in" | "notIn"; readonly key: string; readonly values: ReadonlySet<string> }
  | { readonly kind: "not"; readonly operand: Selector }
  | { readonly kind: "and" | "or"; readonly operands: readonly Selector[] };

export type SelectorComparison = "equals" | "notEquals" | "contains" | "startsWith" | "endsWith";

export const ALL: Selector = { kind: "all" };
/** Written as blanks alone: all(), and told from it by identity, as Calico cannot read blanks in parentheses (peer-selector.ts). */
export const BLANK: Selector = { kind: "all" };

/** True when the labels match. `!=`, `not in` and `!` match a missing label; `contains`, `starts with`, `ends with` need it. */
export function matchesSelector(selector: Selector, label: (key: string) => string | undefined): boolean {
  switch (selector.kind) {
    case "all":
    case "global":
      return true; // what global() is to a namespaceSelector is decided where that is read (entity.ts)
    case "not":
      return !matchesSelector(selector.operand, label);
    case "and":
      return selector.operands.every((operand) => matchesSelector(operand, label));
    case "or":
      return selector.operands.some((operand) => matchesSelector(operand, label));
    default:
      return matchesValue(selector, label(selector.key));
  }
}

/** A selector on one label alone. */
export type LabelSelector = Extract<Selector, { readonly key: string }>;

/** True when a label of that value (undefined: missing) matches. */
export function matchesValue(selector: LabelSelector, value: string | undefined): boolean {
  switch (selector.kind) {
    case "has":
      return value !== undefined;
    case "equals":
      return value === selector.value;
    case "notEquals":
      return value !== selector.value;
    case "contains":
      return value !== undefined && value.includes(selector.value);
    case "startsWith":
      return value !== undefined && value.startsWith(selector.value);
    case "endsWith":
      return value !== undefined && value.endsWith(selector.value);
    case "in":
      return value !== undefined && selector.values.has(value);
    case "notIn":
      return value === undefined || !selector.values.has(value);
  }
}

const SYMBOLS: Readonly<Record<SelectorComparison, string>> = {
  equals: "==",
  notEquals: "!=",
  contains: "contains",
  startsWith: "starts with",
  endsWith: "ends with",
};

/** One text for all ways to write a selector: double quotes, one blank, sorted lists, every && and || in parentheses. */
export function formatSelector(selector: Selector): string {
  switch (selector.kind) {
    case "all":
    case "global":
      return `${selector.kind}()`;
    case "has":
      return `has(${selector.key})`;
    case "in":
    case "notIn": {
      const values = [...selector.values].sort(byCodeUnit).map(quoted);
      return `${selector.key} ${selector.kind === "in" ? "in" : "not in"} {${values.join(", ")}}`;
    }
    case "not":
      return `!${formatSelector(selector.operand)}`;
    case "and":
    case "or":
      return `(${selector.operands.map(formatSelector).join(selector.kind === "and" ? " && " : " || ")})`;
    default:
      return `${selector.key} ${SYMBOLS[selector.kind]} ${quoted(selector.value)}`;
  }
}

function quoted(text: string): string {
  return text.includes('"') ? `'${text}'` : `"${text}"`;
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The tree with `leaf` in place of each part that has no operands. */
export function mapLeaves(selector: Selector, leaf: (part: Selector) => Selector): Selector {
  if (selector.kind === "not") return { kind: "not", operand: mapLeaves(selector.operand, leaf) };
  if (selector.kind === "and" || selector.kind === "or")
    return { kind: selector.kind, operands: selector.operands.map((operand) => mapLeaves(operand, leaf)) };
  return leaf(selector);
}

/** The selectors that are there, and-ed; undefined when none is. */
export function allOf(...selectors: readonly (Selector | undefined)[]): Selector | undefined {
  const operands = selectors.filter((selector) => selector !== undefined);
  return operands.length < 2 ? operands[0] : { kind: "and", operands };
}
