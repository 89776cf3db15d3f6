/*
 * Hot: `find` is asked twice a tuple. Budget: a table's search is under 20 ns (bench/policy.ts).
 *
 * Tables of ports: for each of six protocol slots, intervals that cover 0–65535 without a gap, each with an outcome. Equal tables
 * are stored once. A table is a run of six (start, count) in `slots`; intervals are upper bounds (inclusive, ascending) in `upper`
 * and outcomes in `outcome`.
 */
export class PortTables {
  #slots = new Uint32Array(12 * 64);
  #upper = new Uint16Array(256);
  #outcome = new Int32Array(256);
  #tables = 0;
  #intervals = 0;
  readonly #known = new Map<string, number>();

  /** Number of tables and bytes held. */
  get size(): { tables: number; bytes: number } {
    return { tables: this.#tables, bytes: this.#slots.byteLength + this.#upper.byteLength + this.#outcome.byteLength };
  }

  /** A table's number. `slots` has, for each slot, ascending upper bounds (the last is 65535) and an outcome for each. */
  add(slots: readonly { upper: readonly number[]; outcome: readonly number[] }[]): number {
    const key = slots.map(({ upper, outcome }) => `${upper.join(",")}:${outcome.join(",")}`).join("|");
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const table = this.#tables++;
    this.#known.set(key, table);
    if (this.#tables * 12 > this.#slots.length)
      this.#slots = longer(this.#slots, new Uint32Array(this.#slots.length * 2));
    for (const [slot, { upper, outcome }] of slots.entries()) {
      const start = this.#intervals;
      this.#slots[table * 12 + slot * 2] = start;
      this.#slots[table * 12 + slot * 2 + 1] = upper.length;
      this.#intervals += upper.length;
      while (this.#intervals > this.#upper.length) {
        this.#upper = longer(this.#upper, new Uint16Array(this.#upper.length * 2));
        this.#outcome = longer(this.#outcome, new Int32Array(this.#outcome.length * 2));
      }
      this.#upper.set(upper, start);
      this.#outcome.set(outcome, start);
    }
    return table;
  }

  /** The outcome for a port in a slot of a table. */
  find(table: number, slot: number, port: number): number {
    const at = table * 12 + slot * 2;
    let low = this.#slots[at]!;
    let high = low + this.#slots[at + 1]! - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#upper[middle]! < port) low = middle + 1;
      else high = middle;
    }
    return this.#outcome[low]!;
  }
}

function longer<T extends Uint32Array | Uint16Array | Int32Array>(old: T, room: T): T {
  room.set(old);
  return room;
}
