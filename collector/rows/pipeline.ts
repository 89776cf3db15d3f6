/**
 * Batches in, durable rows and live flows out. Events become rows at once; a row's far end is named one tick (100 ms) later, when the
 * other end's own report has arrived; then it is shown live, encoded, and given to the spool.
 */
import type { Batch } from "../decode/columns.ts";
import { EventType, typeOf } from "../decode/columns.ts";
import type { Books } from "../health/books.ts";
import type { Lot } from "../spool/append.ts";
import type { Worth } from "../spool/segment.ts";
import { dnsRows, natRows, type DnsRow } from "./answers.ts";
import { connectionRows } from "./connections.ts";
import { conversationRows } from "./conversations.ts";
import { NoiseMemory, PlaceMemory } from "./drop-memory.ts";
import { dropRows } from "./drops.ts";
import { FLOW_COLUMN_NAMES, type FlowEncoder } from "./encode.ts";
import { CHUNK_ROWS, flowRows, type FlowRows } from "./flow-rows.ts";
import type { RowContext, RowSink } from "./row-maker.ts";
import { settle } from "./settle.ts";

/** Chunks that may wait for their tick; more are settled at once, without the wait: under such load the peer's report is there anyway. */
const MAX_WAITING_CHUNKS = 12;
/** Emptied chunks of 2 MB that are kept for the next rows: one a lane, and one for a busy tick. */
const MAX_SPARE_CHUNKS = 4;
const MAX_DNS_ROWS = 5000;

export interface PipelineOutputs {
  readonly lot: (lot: Lot) => void;
  readonly live: (rows: FlowRows) => void;
}

interface Lane {
  readonly worth: Worth;
  rows: FlowRows;
}

export class RowPipeline implements RowSink {
  readonly #outputs: PipelineOutputs;
  readonly #books: Books;
  readonly #lanes: Readonly<Record<"allowed" | "failed" | "dropped", Lane>>;
  readonly #noise = new NoiseMemory();
  readonly #places = new PlaceMemory();
  #waiting: { readonly lane: Lane; readonly rows: FlowRows; readonly tick: number }[] = [];
  #spare: FlowRows[] = [];
  #dns: { readonly row: DnsRow; readonly minute: number }[] = [];
  #tick = 0;
  #encoder: FlowEncoder | undefined;
  #context: RowContext | undefined;
  rowsMade = 0;

  constructor(outputs: PipelineOutputs, books: Books) {
    this.#outputs = outputs;
    this.#books = books;
    const lane = (worth: Worth): Lane => ({ worth, rows: flowRows(CHUNK_ROWS) });
    this.#lanes = { allowed: lane("allowed"), failed: lane("failed"), dropped: lane("dropped") };
  }

  /** Must be called before the first batch: the context holds this pipeline as its sink. */
  use(context: RowContext, encoder: FlowEncoder): void {
    this.#context = context;
    this.#encoder = encoder;
  }

  /** Rows made that are not with the spool yet. */
  get waitingRows(): number {
    let rows = this.#dns.length;
    for (const lane of Object.values(this.#lanes)) rows += lane.rows.length;
    for (const chunk of this.#waiting) rows += chunk.rows.length;
    return rows;
  }

  /** The sink of every source. */
  accept(batch: Batch): void {
    const context = this.#context!;
    switch (batch.kind) {
      case "connections":
        return connectionRows(context, batch);
      case "conversations":
        return conversationRows(context, batch);
      case "drops":
        return dropRows(context, this.#noise, this.#places, batch);
      case "nat":
        return natRows(context, batch);
      case "dns":
        return dnsRows(context, this.#node, batch, (row, minute) => {
          if (this.#dns.length >= MAX_DNS_ROWS) this.#books.count(typeOf(batch, 0), minute, "shed");
          else this.#dns.push({ row, minute });
        });
    }
  }

  #node = "";
  set node(node: string) {
    this.#node = node;
  }

  room(type: number): FlowRows {
    const lane =
      type === EventType.fail
        ? this.#lanes.failed
        : type === EventType.drop
          ? this.#lanes.dropped
          : this.#lanes.allowed;
    if (lane.rows.length === lane.rows.capacity) {
      this.#put(lane);
      while (this.#waiting.length > MAX_WAITING_CHUNKS) this.#finish();
    }
    return lane.rows;
  }

  filtered(type: number, tsLow: number, tsHigh: number): void {
    this.#books.count(type, Math.floor((tsHigh * 4294967296 + tsLow) / 60e9) * 60, "filtered");
  }

  /** Finishes what came before the last tick. */
  tick(): void {
    this.#tick++;
    while (this.#waiting.length > 0 && this.#waiting[0]!.tick < this.#tick) this.#finish();
    for (const lane of Object.values(this.#lanes)) if (lane.rows.length > 0) this.#put(lane);
    this.#sendDns();
  }

  /** Finishes everything, for the end. */
  drain(): void {
    this.tick();
    while (this.#waiting.length > 0) this.#finish();
  }

  #put(lane: Lane): void {
    this.#waiting.push({ lane, rows: lane.rows, tick: this.#tick });
    lane.rows = this.#spare.pop() ?? flowRows(CHUNK_ROWS);
    lane.rows.length = 0;
  }

  #finish(): void {
    const { lane, rows } = this.#waiting.shift()!;
    settle(this.#context!, rows);
    this.#outputs.live(rows);
    this.#outputs.lot({
      table: "flows",
      worth: lane.worth,
      format: "RowBinary",
      columns: FLOW_COLUMN_NAMES,
      rows: rows.length,
      payload: this.#encoder!.encode(rows),
      books: this.#books.rowsOf(rows),
    });
    this.rowsMade += rows.length;
    if (this.#spare.length < MAX_SPARE_CHUNKS) this.#spare.push(rows);
  }

  #sendDns(): void {
    if (this.#dns.length === 0) return;
    const rows = this.#dns;
    this.#dns = [];
    const minutes = new Map<number, number>();
    for (const { minute } of rows) minutes.set(minute, (minutes.get(minute) ?? 0) + 1);
    this.#outputs.lot({
      ...jsonLot(
        "dns_answers",
        "allowed",
        rows.map(({ row }) => row),
      ),
      books: [...minutes].flatMap(([minute, n]) => this.#books.records(minute, EventType.dns, n)),
    });
  }
}

/** Rows as objects, for tables where few are written. */
export function jsonLot(table: string, worth: Worth, rows: readonly object[], sealMs = 2000): Lot {
  const text = rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  return {
    table,
    worth,
    format: "JSONEachRow",
    columns: rows.length === 0 ? [] : Object.keys(rows[0]!),
    rows: rows.length,
    payload: new TextEncoder().encode(text),
    books: [],
    sealMs,
  };
}
