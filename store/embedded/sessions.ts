/**
 * The pool of engine sessions: two that write, four that only read, one that kills. A session runs one query at a time; who comes
 * too early waits in line, and past 64 waiters is told so. A session keeps what was SET on it, so each query restores it after itself.
 */
import { EngineException, connect, type Connection, type EngineSettings } from "./engine.ts";
import { literal } from "./statement.ts";

export type Role = "reader" | "writer";

export const POOL = { writers: 2, readers: 4, waiting: 64 } as const;

/** A reader's limits, fixed when its session opens (SET under readonly = 1 is refused). On a real server: the profile of its user. */
export const READER_LIMITS: Readonly<Record<string, number>> = {
  max_execution_time: 30, // seconds
  max_memory_usage: 800_000_000, // bytes
  max_result_rows: 10_000_000,
  max_result_bytes: 1_000_000_000,
  max_rows_to_read: 4_000_000_000,
  max_bytes_before_external_group_by: 400_000_000,
  max_bytes_before_external_sort: 400_000_000,
};

/** Reading "the newest 100" with a moving bound on their time evaluates it before cheaper conditions: five times the CPU of a filtered page of flows (tried). */
const READER_CHOICES: Readonly<Record<string, number>> = { use_top_k_dynamic_filtering: 0 };

/** What a query needs on its session, beside its text. */
export interface SessionNeeds {
  readonly database: string;
  readonly params: ReadonlyMap<string, string>;
  /** Writers only. */
  readonly settings: ReadonlyMap<string, string>;
}

export class Lease {
  readonly connection: Connection;
  readonly #seat: Seat;
  readonly #back: (seat: Seat) => void;

  constructor(seat: Seat, back: (seat: Seat) => void) {
    this.connection = seat.connection;
    this.#seat = seat;
    this.#back = back;
  }

  /** Sets database, parameters and settings. Throws EngineException, with the session as it was. */
  async prepare(needs: SessionNeeds): Promise<void> {
    const seat = this.#seat;
    if (needs.database !== seat.database) {
      await seat.connection.run(`USE \`${needs.database}\``);
      seat.database = needs.database;
    }
    if (needs.params.size > 0) {
      const list = [...needs.params].map(([name, value]) => `param_${name} = ${literal(value)}`);
      await seat.connection.run(`SET ${list.join(", ")}`);
      for (const name of needs.params.keys()) seat.params.add(name);
    }
    if (needs.settings.size > 0) {
      for (const name of needs.settings.keys()) seat.settings.add(name);
      // All in one statement: a statement costs as much as the insert of some hundred rows.
      await seat.connection.run(
        `SET ${[...needs.settings].map(([name, value]) => `${name} = ${literal(value)}`).join(", ")}`,
      );
    }
  }

  /** A parameter that the session still has from an earlier query, but this one was not given: the first of `names`, or undefined. */
  stale(names: readonly string[], given: ReadonlyMap<string, string>): string | undefined {
    return names.find((name) => this.#seat.params.has(name) && !given.has(name));
  }

  /** Puts the settings back and gives the session to the next in line. */
  async release(): Promise<void> {
    const names = [...this.#seat.settings];
    this.#seat.settings.clear();
    if (names.length > 0)
      await this.connection.run(`SET ${names.map((name) => `${name} = DEFAULT`).join(", ")}`).catch(async () => {
        for (const name of names) await this.connection.run(`SET ${name} = DEFAULT`).catch(() => undefined); // an unknown setting was never set
      });
    this.#back(this.#seat);
  }
}

interface Seat {
  readonly role: Role;
  readonly connection: Connection;
  database: string;
  readonly params: Set<string>;
  readonly settings: Set<string>;
}

interface Waiter {
  readonly give: (seat: Seat) => void;
  readonly signal: AbortSignal;
}

export class SessionPool {
  readonly #seats: Seat[] = [];
  readonly #idle: Record<Role, Seat[]> = { reader: [], writer: [] };
  readonly #waiting: Record<Role, Waiter[]> = { reader: [], writer: [] };
  #killer: Connection | undefined;

  /** Opens all sessions. Throws StoreError when the directory is held or not writable. */
  async open(settings: EngineSettings, database: string): Promise<void> {
    this.#killer = connect(settings);
    await this.#killer.run(`CREATE DATABASE IF NOT EXISTS \`${database}\``);
    for (let i = 0; i < POOL.writers; i++) this.#idle.writer.push(this.#seat("writer", connect(settings)));
    for (let i = 0; i < POOL.readers; i++) {
      const connection = connect(settings);
      const limits = Object.entries({ ...READER_LIMITS, ...READER_CHOICES }).map(
        ([name, value]) => `${name} = ${value}`,
      );
      await connection.run(`SET ${limits.join(", ")}, allow_ddl = 0, allow_introspection_functions = 0, readonly = 1`);
      this.#idle.reader.push(this.#seat("reader", connection));
    }
  }

  /** A free session of this role. Throws EngineException 202 when too many wait already; rejects with the signal's reason. */
  async lease(role: Role, signal: AbortSignal): Promise<Lease> {
    signal.throwIfAborted();
    const seat = this.#idle[role].pop() ?? (await this.#wait(role, signal));
    return new Lease(seat, (back) => this.#giveBack(back));
  }

  /** Ends the running query whose text carries `mark`. ASYNC always: SYNC hangs for good. */
  async kill(mark: string): Promise<void> {
    await this.#killer?.run(
      `KILL QUERY WHERE (endsWith(query, ${literal(mark)}) OR startsWith(query, ${literal(mark)})) ASYNC`,
    );
  }

  /** Sessions busy and waiting, for the status page. */
  get load(): { readonly busy: number; readonly waiting: number } {
    const idle = this.#idle.reader.length + this.#idle.writer.length;
    return { busy: this.#seats.length - idle, waiting: this.#waiting.reader.length + this.#waiting.writer.length };
  }

  close(): void {
    for (const seat of this.#seats) seat.connection.close();
    this.#killer?.close();
  }

  #seat(role: Role, connection: Connection): Seat {
    const seat: Seat = { role, connection, database: "default", params: new Set(), settings: new Set() };
    this.#seats.push(seat);
    return seat;
  }

  #wait(role: Role, signal: AbortSignal): Promise<Seat> {
    const line = this.#waiting[role];
    if (line.length >= POOL.waiting) {
      throw new EngineException(
        `Code: 202. DB::Exception: Too many simultaneous queries: ${POOL.waiting} wait already; try again. (TOO_MANY_SIMULTANEOUS_QUERIES)`,
      );
    }
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { give: resolve, signal };
      line.push(waiter);
      signal.addEventListener(
        "abort",
        () => {
          const at = line.indexOf(waiter);
          if (at >= 0) line.splice(at, 1);
          reject(signal.reason as Error);
        },
        { once: true },
      );
    });
  }

  #giveBack(seat: Seat): void {
    for (let next = this.#waiting[seat.role].shift(); next !== undefined; next = this.#waiting[seat.role].shift()) {
      if (!next.signal.aborted) return next.give(seat);
    }
    this.#idle[seat.role].push(seat);
  }
}
