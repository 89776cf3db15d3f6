/** Hot: what is judged of drops by looking at names, once for each combination that occurs. */
import { PASSAGES } from "../../model/flow.ts";
import { placeOfDrop } from "../../model/reasons/drop-place.ts";
import { isNoise } from "../../model/reasons/lookup.ts";
import type { DropColumns } from "../decode/columns.ts";
import { WordTable } from "../identity/word-table.ts";
import type { FlowRows } from "./flow-rows.ts";
import type { RowContext } from "./row-maker.ts";

const TCP = 6;

/** Whether a drop is normal, by what the noise rules look at; asked once for each combination. */
export class NoiseMemory {
  readonly #table = new WordTable(4, 1, 0, 8192);
  readonly #key = new Uint32Array(4);

  isNoise(
    reason: string,
    reasonIndex: number,
    location: string,
    locationIndex: number,
    protocol: number,
    tcpFlags: number,
    icmpType: number,
    port: number,
    toGroup: boolean,
  ): boolean {
    const key = this.#key;
    key[0] = reasonIndex;
    key[1] = locationIndex;
    key[2] = protocol | (tcpFlags << 8) | (icmpType << 16) | (toGroup ? 1 << 24 : 0);
    key[3] = port;
    const slot = this.#table.insert(key);
    if (this.#table.isNew) {
      const noise = isNoise({
        reason,
        location: location === "" ? undefined : location,
        protocol,
        tcpFlags: protocol === TCP ? tcpFlags : undefined,
        icmpType: protocol === 1 || protocol === 58 ? icmpType : undefined,
        dport: port === 0 ? undefined : port,
        toGroup,
      });
      this.#table.words[slot] = noise ? 1 : 2;
    }
    return this.#table.words[slot] === 1;
  }
}

/** Where on its way a packet was dropped: hook and passage, by reason, function and stack. */
export class PlaceMemory {
  readonly #table = new WordTable(3, 2, 0, 4096);
  readonly #key = new Uint32Array(3);

  /** Writes `hook` and `passage` of row `row`, from event `r` of `batch`. */
  write(
    { kernel, strings }: RowContext,
    rows: FlowRows,
    row: number,
    batch: DropColumns,
    r: number,
    reason: string,
    reasonIndex: number,
    location: string,
    locationIndex: number,
  ): void {
    const stack = batch.stack[r]!;
    const key = this.#key;
    key[0] = reasonIndex;
    key[1] = locationIndex;
    key[2] = stack;
    const slot = this.#table.insert(key);
    if (this.#table.isNew) {
      const callers = kernel.callersOf(stack, batch.locationLow[r]!, batch.locationHigh[r]!);
      const { hook, passage } = placeOfDrop(reason, location, callers);
      this.#table.words[slot * 2] = strings.intern(hook);
      this.#table.words[slot * 2 + 1] = PASSAGES.indexOf(passage);
    }
    rows.hook[row] = this.#table.words[slot * 2]!;
    rows.passage[row] = this.#table.words[slot * 2 + 1]!;
  }
}
