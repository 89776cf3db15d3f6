/** What a user needs to know about a failure. `what` is one sentence without a full stop; `next` says what to do about it. */
export interface ErrorFacts {
  /** Stable, for programs: `port-in-use`, `store-newer-schema`. */
  readonly code: string;
  /** What is wrong: `port 7070 is in use by another program`. */
  readonly what: string;
  /** File, line, field or address: `web.yaml:12:15 spec.ingress[0]`. */
  readonly where?: string;
  /** What would have been right: `1–65535`. */
  readonly expected?: string;
  /** The next step: `stop it, or choose another with WEIR_PORT=7071`. */
  readonly next?: string;
  readonly cause?: unknown;
}

/** A failure that a user can do something about. Rooms subclass it; everything else that is thrown is a bug. */
export class WeirError extends Error {
  readonly code: string;
  readonly what: string;
  readonly where: string | undefined;
  readonly expected: string | undefined;
  readonly next: string | undefined;

  constructor(facts: ErrorFacts) {
    super(sentence(facts), facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = new.target.name;
    this.code = facts.code;
    this.what = facts.what;
    this.where = facts.where;
    this.expected = facts.expected;
    this.next = facts.next;
  }
}

/** One line for a person: `where: what; expected …; next`. */
function sentence(facts: ErrorFacts): string {
  const parts = [facts.what];
  if (facts.expected !== undefined) parts.push(`expected ${facts.expected}`);
  if (facts.next !== undefined) parts.push(facts.next);
  const text = parts.join("; ");
  return facts.where === undefined ? text : `${facts.where}: ${text}`;
}

/** Ends a `switch` over a union: does not compile while a member is unhandled, throws if one slips through at run time. */
export function unreachable(value: never): never {
  throw new Error(`unhandled case: ${JSON.stringify(value)}`);
}

/** The system's error code (`ENOENT`, `EADDRINUSE`) of something thrown, or undefined. */
export function systemCode(thrown: unknown): string | undefined {
  if (thrown instanceof Error && "code" in thrown && typeof thrown.code === "string") return thrown.code;
  return undefined;
}
