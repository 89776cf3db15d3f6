import type { PolicyDocument } from "../parse/documents.ts";
import type { PolicyProblem, Position } from "../parse/problem.ts";
import type { PolicyRef, RuleAction, RuleRef } from "../verdict.ts";
import type { CompiledRules, Enforcement, Entry } from "./entry.ts";

/** Collects what documents compile to, numbering policies and rules. */
export class RuleBook {
  readonly #policies: PolicyRef[] = [];
  readonly #rules: RuleRef[] = [];
  readonly #ruleNumbers = new Map<string, number>();
  readonly #entries: Entry[] = [];
  readonly #enforcements: Enforcement[] = [];
  readonly #problems: PolicyProblem[] = [];

  /** Takes a document in and gives its number. */
  policy(document: PolicyDocument): number {
    const { kind, namespace, name, position } = document;
    return this.#policies.push({ kind, namespace, name, ...position }) - 1;
  }

  /** A rule's number; the same rule asked for twice has one number. `field` is the list that it stands in. */
  rule(
    policy: number,
    field: string,
    index: number,
    action: RuleAction,
    place: { position: Position; path: string },
    spec = 0,
  ): number {
    const key = `${policy} ${spec} ${field} ${index}`;
    const known = this.#ruleNumbers.get(key);
    if (known !== undefined) return known;
    const ref: RuleRef = {
      policy: this.#policies[policy]!,
      spec,
      field,
      index,
      action,
      path: place.path,
      ...place.position,
    };
    const number = this.#rules.push(ref) - 1;
    this.#ruleNumbers.set(key, number);
    return number;
  }

  entry(entry: Entry): void {
    this.#entries.push(entry);
  }

  enforce(enforcement: Enforcement): void {
    this.#enforcements.push(enforcement);
  }

  /** Notes that a document, or a part of it, takes no part in decisions. */
  leaveOut(document: PolicyDocument, message: string, place: Position = document.position, path = ""): void {
    this.#problems.push({ ...place, path, message, severity: "warning" });
  }

  finish(): CompiledRules {
    return {
      policies: this.#policies,
      rules: this.#rules,
      entries: this.#entries,
      enforcements: this.#enforcements,
      problems: this.#problems,
    };
  }
}
