import { BLANK, type Selector, type SelectorComparison } from "./selector.ts";

/**
 * Calico's selector grammar, text to a tree.
 *
 *   or     = and { "||" and }            "&&" binds tighter than "||"
 *   and    = term { "&&" term }
 *   term   = { "!" } ( "(" or ")" | "all()" | "global()" | "has(" label ")" | label operation )
 *   operation = ("==" | "!=" | "contains" | "starts with" | "ends with") text | ("in" | "not in") "{" [ text { "," text } ] "}"
 *
 * Blanks are space and tab only; text stands in quotes of either kind and has no escapes. Empty text means all(). The rules are
 * those of libcalico-go/lib/selector 3.32.1 (tokenizer, parser), down to `notin` in one word and the comma before `}`.
 */
/** What is wrong in a selector; `at` counts UTF-16 units from its beginning. */
export interface SelectorError {
  readonly at: number;
  readonly message: string;
  readonly expected: string;
}

export type SelectorResult =
  { readonly ok: true; readonly selector: Selector } | { readonly ok: false; readonly error: SelectorError };

/** Longest label name that Calico's tokenizer takes. */
const MAX_LABEL = 512;
/** Parentheses within each other. Calico has no limit; nobody's selector comes near. */
const MAX_DEPTH = 512;

/** The tree of `text`, or its first error. Never throws; time grows linearly with the text. */
export function parseSelector(text: string): SelectorResult {
  const tokens = tokenize(text);
  if (!Array.isArray(tokens)) return { ok: false, error: tokens };
  if (tokens[0]!.kind === "end") return { ok: true, selector: BLANK };
  const parser = new SelectorParser(tokens);
  const selector = parser.or(0);
  if (selector === undefined) return { ok: false, error: parser.error! };
  return { ok: true, selector };
}

type TokenKind =
  | "label"
  | "text"
  | "has"
  | "all"
  | "global"
  | "("
  | ")"
  | "{"
  | "}"
  | ","
  | "!"
  | "&&"
  | "||"
  | "=="
  | "!="
  | "contains"
  | "starts with"
  | "ends with"
  | "in"
  | "not in"
  | "end";

interface Token {
  readonly kind: TokenKind;
  readonly value: string;
  readonly at: number;
}

const IDENTIFIER = /[a-zA-Z0-9_./-]*/y;
const WORD_OPERATORS: readonly (readonly [TokenKind, RegExp])[] = [
  ["contains", /contains(?![a-zA-Z0-9_./-])/y],
  ["starts with", /starts[ \t]*with[ \t]*(?![a-zA-Z0-9_./ \t-])/y],
  ["ends with", /ends[ \t]*with[ \t]*(?![a-zA-Z0-9_./ \t-])/y],
  ["not in", /not[ \t]*in[ \t]*(?![a-zA-Z0-9_./ \t-])/y],
  ["in", /in(?![a-zA-Z0-9_./-])/y],
];
const OPERATIONS = "==, !=, in, not in, contains, starts with or ends with";

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

function tokenize(text: string): Token[] | SelectorError {
  const tokens: Token[] = [];
  const push = (kind: TokenKind, at: number, value = "") => tokens.push({ kind, value, at });
  const blanks = (at: number) => {
    while (text[at] === " " || text[at] === "\t") at++;
    return at;
  };
  let at = 0;
  for (;;) {
    at = blanks(at);
    const char = text[at];
    if (char === undefined) {
      push("end", at);
      return tokens;
    }
    switch (char) {
      case "(":
      case ")":
      case "{":
      case "}":
      case ",":
        push(char, at++);
        continue;
      case '"':
      case "'": {
        const end = text.indexOf(char, at + 1);
        if (end < 0) return { at, message: "text in quotes does not end", expected: `a closing ${char}` };
        push("text", at, text.slice(at + 1, end));
        at = end + 1;
        continue;
      }
      case "=":
      case "&":
      case "|":
        if (text[at + 1] !== char) return { at, message: `a single ${char}`, expected: `${char}${char}` };
        push(char === "=" ? "==" : char === "&" ? "&&" : "||", at);
        at += 2;
        continue;
      case "!":
        if (text[at + 1] === "=") push("!=", at);
        else push("!", at);
        at += text[at + 1] === "=" ? 2 : 1;
        continue;
      default:
    }
    if (tokens.at(-1)?.kind === "label") {
      const operator = WORD_OPERATORS.find(([, pattern]) => matchAt(pattern, text, at) !== undefined);
      if (operator === undefined)
        return { at, message: `no operator after the label ${tokens.at(-1)!.value}`, expected: OPERATIONS };
      push(operator[0], at);
      at += matchAt(operator[1], text, at)!.length;
      continue;
    }
    const call = (["has(", "all(", "global("] as const).find((name) => text.startsWith(name, at));
    const start = at;
    if (call !== undefined) at = blanks(at + call.length);
    if (call === undefined || call === "has(") {
      const label = matchAt(IDENTIFIER, text, at)!;
      if (label === "")
        return {
          at,
          message: `${JSON.stringify(text[at] ?? "nothing")} where a label's name belongs`,
          expected: "letters, digits, _ . / or -",
        };
      if (label.length > MAX_LABEL)
        return { at, message: "a label's name is too long", expected: `at most ${MAX_LABEL} characters` };
      at += label.length;
      push(call === undefined ? "label" : "has", start, label);
    } else push(call === "all(" ? "all" : "global", start);
    if (call === undefined) continue;
    at = blanks(at);
    if (text[at] !== ")") return { at, message: `${call}…) is not closed`, expected: ")" };
    at++;
  }
}

/** Recursive descent over tokens; a method answers undefined once `error` is set. */
class SelectorParser {
  error: SelectorError | undefined;
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  or(depth: number): Selector | undefined {
    const selector = this.#list("or", "||", depth);
    if (selector === undefined || depth > 0 || this.#peek().kind === "end") return selector;
    return this.#fail("more after the end of the selector", "&&, || or the end");
  }

  #list(kind: "and" | "or", separator: "&&" | "||", depth: number): Selector | undefined {
    const operands: Selector[] = [];
    do {
      const operand = kind === "or" ? this.#list("and", "&&", depth) : this.#term(depth);
      if (operand === undefined) return undefined;
      operands.push(operand);
    } while (this.#accept(separator));
    return operands.length === 1 ? operands[0] : { kind, operands };
  }

  #term(depth: number): Selector | undefined {
    let negated = false;
    while (this.#accept("!")) negated = !negated;
    const operand = this.#operand(depth);
    return operand === undefined || !negated ? operand : { kind: "not", operand };
  }

  #operand(depth: number): Selector | undefined {
    const token = this.#peek();
    switch (token.kind) {
      case "has":
        this.#next++;
        return { kind: "has", key: token.value };
      case "all":
      case "global":
        this.#next++;
        return { kind: token.kind };
      case "label":
        this.#next++;
        return this.#operation(token.value);
      case "(": {
        if (depth === MAX_DEPTH) return this.#fail("too many parentheses within each other", `at most ${MAX_DEPTH}`);
        this.#next++;
        const inner = this.or(depth + 1);
        if (inner === undefined) return undefined;
        return this.#accept(")") ? inner : this.#fail("a parenthesis is not closed", ")");
      }
      default:
        return this.#fail(`${name(token)} where a term belongs`, "a label, has(…), all(), ! or (");
    }
  }

  #operation(key: string): Selector | undefined {
    const operator = this.#peek();
    const kind = COMPARISONS.get(operator.kind);
    if (kind !== undefined) {
      this.#next++;
      const text = this.#peek();
      if (text.kind !== "text") return this.#fail(`${name(text)} after ${operator.kind}`, "text in quotes");
      this.#next++;
      return { kind, key, value: text.value };
    }
    if (operator.kind !== "in" && operator.kind !== "not in")
      return this.#fail(`${name(operator)} after the label ${key}`, OPERATIONS);
    this.#next++;
    if (!this.#accept("{"))
      return this.#fail(`${name(this.#peek())} after ${operator.kind}`, "a list such as {'a', 'b'}");
    const values = new Set<string>();
    while (this.#peek().kind === "text") {
      values.add(this.#peek().value);
      this.#next++;
      if (!this.#accept(",")) break;
    }
    if (!this.#accept("}"))
      return this.#fail(`${name(this.#peek())} in a list of texts`, "text in quotes, a comma or }");
    return { kind: operator.kind === "in" ? "in" : "notIn", key, values };
  }

  #peek(): Token {
    return this.#tokens[this.#next]!; // "end" is last and never taken
  }

  #accept(kind: TokenKind): boolean {
    if (this.#peek().kind !== kind) return false;
    this.#next++;
    return true;
  }

  #fail(message: string, expected: string): undefined {
    this.error ??= { at: this.#peek().at, message, expected };
    return undefined;
  }
}

const COMPARISONS: ReadonlyMap<TokenKind, SelectorComparison> = new Map([
  ["==", "equals"],
  ["!=", "notEquals"],
  ["contains", "contains"],
  ["starts with", "startsWith"],
  ["ends with", "endsWith"],
]);

function name(token: Token): string {
  if (token.kind === "end") return "the end";
  if (token.kind === "text") return JSON.stringify(token.value);
  return token.kind === "label" ? `the label ${token.value}` : token.kind;
}
