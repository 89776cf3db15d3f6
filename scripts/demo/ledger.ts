/** What the programs of the world write down about what they did, and the sums of it. */

/** How a connection ended for the client's program. */
export const OUTCOMES = ["ok", "refused", "unreachable", "timed-out", "gave-up", "reset"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** One line of a ledger file. */
export type Entry =
  | {
      readonly kind: "connection";
      /** ms since 1970 at its start. */
      readonly at: number;
      readonly traffic: string;
      readonly from: string;
      readonly address: string;
      readonly port: number;
      readonly family: 4 | 6;
      readonly outcome: Outcome;
      /** True when the connect succeeded, whatever came later. */
      readonly opened: boolean;
      readonly written: number;
      readonly read: number;
      readonly ms: number;
    }
  | {
      readonly kind: "datagram";
      readonly at: number;
      readonly traffic: string;
      readonly from: string;
      readonly address: string;
      readonly port: number;
      readonly family: 4 | 6;
      readonly outcome: "sent" | "refused";
    }
  | {
      readonly kind: "lookup";
      readonly at: number;
      readonly from: string;
      readonly server: string;
      readonly name: string;
      readonly type: "A" | "AAAA";
      readonly rcode: string;
      readonly ms: number;
    }
  /** The server's side: one accepted connection. */
  | { readonly kind: "accept"; readonly at: number; readonly to: string; readonly port: number; readonly peer: string };

/** Connections from one workload to one address and port that ended the same way. */
export interface ConnectionSum {
  readonly from: string;
  readonly address: string;
  readonly port: number;
  readonly outcome: Outcome;
  readonly opened: boolean;
  count: number;
  written: number;
  read: number;
}

export interface DatagramSum {
  readonly from: string;
  readonly address: string;
  readonly port: number;
  count: number;
}

export interface LookupSum {
  readonly from: string;
  readonly name: string;
  readonly type: "A" | "AAAA";
  readonly rcode: string;
  count: number;
}

export interface AcceptSum {
  readonly to: string;
  readonly port: number;
  count: number;
}

/** Sums of the entries of one program, or, after `merge`, of many. */
export interface Sums {
  readonly connections: ConnectionSum[];
  readonly datagrams: DatagramSum[];
  readonly lookups: LookupSum[];
  readonly accepts: AcceptSum[];
}

/** Packets that the world dropped on purpose, from the router's own counters. */
export interface DropSum {
  readonly counter: string;
  readonly reason: string;
  readonly what: string;
  readonly from: string;
  readonly to: string;
  readonly packets: number;
}

export interface Ledger extends Sums {
  readonly drops: readonly DropSum[];
  /** Segments that each observed workload's kernel sent again (Tcp RetransSegs of its namespaces), SYNs too. */
  readonly retransmits: readonly { readonly workload: string; readonly segments: number }[];
  /** Edges that lost data packets, so that the kernel had to send again: `storefront/catalog → data/db`. */
  readonly retransmitting: readonly string[];
}

/** Adds entries as they come; the sums can be read at any time. */
export class LedgerSums {
  readonly #connections = new Map<string, ConnectionSum>();
  readonly #datagrams = new Map<string, DatagramSum>();
  readonly #lookups = new Map<string, LookupSum>();
  readonly #accepts = new Map<string, AcceptSum>();

  add(entry: Entry): void {
    switch (entry.kind) {
      case "connection": {
        const { from, address, port, outcome, opened } = entry;
        this.#connection({ from, address, port, outcome, opened, count: 1, written: entry.written, read: entry.read });
        break;
      }
      case "datagram":
        this.#plain(this.#datagrams, `${entry.from} ${entry.address} ${entry.port}`, {
          from: entry.from,
          address: entry.address,
          port: entry.port,
          count: 1,
        });
        break;
      case "lookup":
        this.#plain(this.#lookups, `${entry.from} ${entry.name} ${entry.type} ${entry.rcode}`, {
          from: entry.from,
          name: entry.name,
          type: entry.type,
          rcode: entry.rcode,
          count: 1,
        });
        break;
      case "accept":
        this.#plain(this.#accepts, `${entry.to} ${entry.port}`, { to: entry.to, port: entry.port, count: 1 });
        break;
    }
  }

  merge(sums: Sums): void {
    for (const sum of sums.connections) this.#connection(sum);
    for (const sum of sums.datagrams) this.#plain(this.#datagrams, `${sum.from} ${sum.address} ${sum.port}`, sum);
    for (const sum of sums.lookups) this.#plain(this.#lookups, `${sum.from} ${sum.name} ${sum.type} ${sum.rcode}`, sum);
    for (const sum of sums.accepts) this.#plain(this.#accepts, `${sum.to} ${sum.port}`, sum);
  }

  sums(): Sums {
    return {
      connections: [...this.#connections.values()],
      datagrams: [...this.#datagrams.values()],
      lookups: [...this.#lookups.values()],
      accepts: [...this.#accepts.values()],
    };
  }

  #connection(sum: ConnectionSum): void {
    const key = `${sum.from} ${sum.address} ${sum.port} ${sum.outcome} ${sum.opened}`;
    const known = this.#connections.get(key);
    if (known === undefined) this.#connections.set(key, { ...sum });
    else {
      known.count += sum.count;
      known.written += sum.written;
      known.read += sum.read;
    }
  }

  #plain<T extends { count: number }>(sums: Map<string, T>, key: string, sum: T): void {
    const known = sums.get(key);
    if (known === undefined) sums.set(key, { ...sum });
    else known.count += sum.count;
  }
}
