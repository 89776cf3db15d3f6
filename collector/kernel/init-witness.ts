/** Does this kernel run tracing programs while process 1 is the current task? Some guests' do not (bpf/maps.bpf.h). */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

const INITIAL_PID_NAMESPACE = "pid:[4026531836]"; // PROC_PID_INIT_INO, include/linux/proc_ns.h
/** Turns on a CPU after which a program that never ran is one that does not run. */
const ENOUGH_SWITCHES = 5;
/** A process 1 that does so little is no matter; the program is let go. */
const PATIENCE_MS = 600_000;

/** Holds the program `witness` until the answer is known. */
export class InitWitness implements Disposable {
  readonly #before = isInitialPidNamespace() ? switchesOfInit() : undefined;
  readonly #until = Date.now() + PATIENCE_MS;
  #program: Disposable | undefined;
  #hides = false;
  #shows = false;

  constructor(program: Disposable) {
    this.#program = program;
    if (this.#before === undefined) this[Symbol.dispose]();
  }

  /** True once it is certain that the kernel hides process 1. */
  get hidesInit(): boolean {
    return this.#hides;
  }

  /** True once it is certain that it does not. */
  get showsInit(): boolean {
    return this.#shows;
  }

  /** `ran`: how often the program ran in process 1 so far. */
  look(ran: number): void {
    if (this.#program === undefined) return;
    const switches = (switchesOfInit() ?? 0) - (this.#before ?? 0);
    this.#hides = ran === 0 && switches >= ENOUGH_SWITCHES;
    this.#shows = ran > 0;
    if (this.#shows || this.#hides || Date.now() > this.#until) this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#program?.[Symbol.dispose]();
    this.#program = undefined;
  }
}

/** False where process ids are not the machine's own: /proc/1 is another than its first process. */
export function isInitialPidNamespace(): boolean {
  try {
    return readlinkSync("/proc/self/ns/pid") === INITIAL_PID_NAMESPACE;
  } catch {
    return false;
  }
}

/** How often the threads of process 1 left a CPU; undefined where it cannot be read. */
function switchesOfInit(): number | undefined {
  try {
    let sum = 0;
    for (const task of readdirSync("/proc/1/task")) {
      const status = readFileSync(`/proc/1/task/${task}/status`, "latin1");
      for (const match of status.matchAll(/^(?:non)?voluntary_ctxt_switches:\s*(\d+)$/gm)) sum += Number(match[1]);
    }
    return sum;
  } catch {
    return undefined; // hidden, or a thread that ended meanwhile
  }
}
