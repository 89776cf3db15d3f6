/** Frames of RowBinary as a busy node spools them, for bench/ingest.ts: connections of the last minutes in the world of bench/fill-world.ts. */
import { FLOW_COLUMNS } from "../store/layout.ts";
import { RowEncoder } from "../store/row-binary.ts";
import { FlowBatch } from "./fill-rows.ts";
import { makeWorld, random } from "./fill-world.ts";

/** Rows of a frame: what a busy node writes in the tenth of a second between two fsyncs. */
const FRAME_ROWS = 5_000;
export const BOOT = "6f1f9a52-1d43-4f0e-9c57-0a5f4f3b0001";

/** Rows of the last minutes, the same shape each time; `generation` makes them rows of their own. */
export class IngestRows {
  readonly #links;
  readonly #next = random(2);
  readonly #encoder = new RowEncoder(FLOW_COLUMNS);
  readonly #out = new Uint8Array(FRAME_ROWS * 600);

  constructor(teams: number) {
    this.#links = makeWorld(1, teams).links;
  }

  /** Frames of RowBinary, `total` rows together. */
  *frames(total: number, generation: number): Generator<{ readonly rows: number; readonly payload: Uint8Array }> {
    const batch = new FlowBatch(FRAME_ROWS + 8, ["node-a"], [BOOT], generation);
    const from = Date.now() - 120_000;
    for (let done = 0; done < total; done += batch.length) {
      batch.clear();
      while (batch.length + 6 <= Math.min(FRAME_ROWS, total - done) || batch.length === 0)
        batch.addConnection(this.#link(), from + ((done + batch.length) / total) * 60_000, this.#next);
      const columns = batch.columns();
      (columns.generation as Uint32Array).fill(generation);
      const end = this.#encoder.encode(columns, 0, batch.length, this.#out, 0);
      if (end < 0) throw new Error(`a frame needs ${-end} bytes`);
      yield { rows: batch.length, payload: this.#out.slice(0, end) };
    }
  }

  #link() {
    return this.#links[Math.floor(this.#next() ** 2 * this.#links.length)]!;
  }
}
