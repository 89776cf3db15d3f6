import type { PolicyProblem, Position } from "./problem.ts";
import { nearestName } from "./problem.ts";
import type { YamlNode, YamlSource } from "./yaml.ts";

/** Collects what is wrong while a document is read; reading goes on after each, so a user sees all at once. */
export class Problems {
  readonly list: PolicyProblem[] = [];
  /** A file of 100,000 wrong rules needs no more than this to be understood. */
  static readonly limit = 1000;

  get hasErrors(): boolean {
    return this.list.some((problem) => problem.severity === "error");
  }

  add(
    place: Position,
    path: string,
    message: string,
    expected?: string,
    severity: "error" | "warning" = "error",
  ): void {
    if (this.list.length >= Problems.limit) return;
    const { file, line, column } = place;
    this.list.push({ file, line, column, path, message, ...(expected === undefined ? {} : { expected }), severity });
  }
}

/**
 * A node with the way to it. Each reading method returns the value, or undefined after noting what was expected; an absent or
 * null field has no cursor at all (`get` gives undefined), as the API server treats null as absent.
 */
export class Cursor {
  readonly node: YamlNode;
  readonly path: string;
  readonly #source: YamlSource;
  readonly #problems: Problems;

  constructor(node: YamlNode, path: string, source: YamlSource, problems: Problems) {
    this.node = node;
    this.path = path;
    this.#source = source;
    this.#problems = problems;
  }

  get position(): Position {
    return this.#source.position(this.node.at);
  }

  get isNull(): boolean {
    return this.node.kind === "scalar" && this.node.value === null;
  }

  problem(message: string, expected?: string): void {
    this.#problems.add(this.position, this.path, message, expected);
  }

  warning(message: string, expected?: string): void {
    this.#problems.add(this.position, this.path, message, expected, "warning");
  }

  /** The fields of an object; a field outside `known` is an error with the nearest known name. No `known` = any field goes. */
  fields(known?: readonly string[]): Fields | undefined {
    if (this.node.kind !== "map") {
      this.problem(
        `${describe(this.node)} where an object belongs`,
        known === undefined ? "an object" : `an object with ${known.join(", ")}`,
      );
      return undefined;
    }
    if (known !== undefined)
      for (const [name, entry] of this.node.entries) {
        if (known.includes(name)) continue;
        const near = nearestName(name, known);
        const place = this.#source.position(entry.at);
        const expected = near === undefined ? `one of ${known.join(", ")}` : `${near} (the nearest known field)`;
        this.#problems.add(place, this.#join(name), `unknown field ${quote(name)}`, expected);
      }
    return new Fields(
      this.node.entries,
      (name, node) => new Cursor(node, this.#join(name), this.#source, this.#problems),
      this,
    );
  }

  /** The items of a list, each with its own path; null items stay (see `isNull`). */
  items(what = "a list"): Cursor[] | undefined {
    if (this.node.kind !== "list") {
      this.problem(`${describe(this.node)} where a list belongs`, what);
      return undefined;
    }
    return this.node.items.map((item, i) => new Cursor(item, `${this.path}[${i}]`, this.#source, this.#problems));
  }

  string(what = "text"): string | undefined {
    if (this.node.kind === "scalar" && typeof this.node.value === "string") return this.node.value;
    this.problem(
      `${describe(this.node)} where text belongs`,
      this.node.kind === "scalar" && !this.isNull ? `${what}, quoted` : what,
    );
    return undefined;
  }

  /** A string of `allowed`, with the nearest one named otherwise. */
  oneOf<T extends string>(allowed: readonly T[]): T | undefined {
    const text = this.string(`one of ${allowed.join(", ")}`);
    if (text === undefined) return undefined;
    const found = allowed.find((value) => value === text);
    if (found !== undefined) return found;
    const near = nearestName(text, allowed);
    this.problem(
      `${quote(text)} is not known here`,
      near === undefined ? `one of ${allowed.join(", ")}` : `${near}, or one of ${allowed.join(", ")}`,
    );
    return undefined;
  }

  integer(min: number, max: number): number | undefined {
    const value = this.node.kind === "scalar" ? this.node.value : undefined;
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
    this.problem(`${describe(this.node)} is out of place`, `a whole number ${min}–${max}`);
    return undefined;
  }

  number(): number | undefined {
    const value = this.node.kind === "scalar" ? this.node.value : undefined;
    if (typeof value === "number" && Number.isFinite(value)) return value;
    this.problem(`${describe(this.node)} where a number belongs`, "a number");
    return undefined;
  }

  boolean(): boolean | undefined {
    if (this.node.kind === "scalar" && typeof this.node.value === "boolean") return this.node.value;
    this.problem(`${describe(this.node)} where true or false belongs`, "true or false");
    return undefined;
  }

  /** A whole number, or text: Kubernetes' IntOrString. Reports neither range nor form. */
  integerOrString(what: string): number | string | undefined {
    const value = this.node.kind === "scalar" ? this.node.value : undefined;
    if (typeof value === "string" || (typeof value === "number" && Number.isInteger(value))) return value;
    this.problem(`${describe(this.node)} is out of place`, what);
    return undefined;
  }

  /** A map of text to text, such as labels. */
  stringMap(): Map<string, string> | undefined {
    const fields = this.fields();
    if (fields === undefined) return undefined;
    const out = new Map<string, string>();
    for (const name of fields.names()) {
      const value = fields.require(name).string();
      if (value !== undefined) out.set(name, value);
    }
    return out;
  }

  #join(name: string): string {
    const plain = /^[A-Za-z_][\w-]*$/.test(name) ? name : quote(name);
    return this.path === "" ? plain : `${this.path}.${plain}`;
  }
}

/** The fields of one object. */
export class Fields {
  readonly #entries: ReadonlyMap<string, { readonly value: YamlNode }>;
  readonly #cursor: (name: string, node: YamlNode) => Cursor;
  readonly owner: Cursor;

  constructor(
    entries: ReadonlyMap<string, { readonly value: YamlNode }>,
    cursor: (name: string, node: YamlNode) => Cursor,
    owner: Cursor,
  ) {
    this.#entries = entries;
    this.#cursor = cursor;
    this.owner = owner;
  }

  names(): string[] {
    return [...this.#entries.keys()];
  }

  /** True when the field is written, be it as null. */
  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** The field, or undefined when it is absent or null. */
  get(name: string): Cursor | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined || (entry.value.kind === "scalar" && entry.value.value === null)) return undefined;
    return this.#cursor(name, entry.value);
  }

  /** A field that `has` says is there; null included. Throws when it is absent: a bug of the caller. */
  require(name: string): Cursor {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw new Error(`field ${name} was asked for without a check`);
    return this.#cursor(name, entry.value);
  }

  /** The field, with a problem noted when it is absent or null. */
  need(name: string, what: string): Cursor | undefined {
    const cursor = this.get(name);
    if (cursor === undefined) this.owner.problem(`field ${quote(name)} is missing`, what);
    return cursor;
  }
}

/** A value as a person would name it. */
export function describe(node: YamlNode): string {
  if (node.kind === "map") return "an object";
  if (node.kind === "list") return "a list";
  if (node.value === null) return "nothing";
  return typeof node.value === "string" ? quote(node.value) : quote(node.source);
}

/** Text in quotes for a message, cut at 80 characters, control characters escaped. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
