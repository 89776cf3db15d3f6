/** Kills at random moments, from a seed, until the number is reached; then lets everything arrive and asks for the verdict. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { between, pick, randomOf } from "../../scripts/demo/random.ts";
import { Evidence, type Verdict } from "./evidence.ts";
import { makeMachine, pause, type Machine, type Part } from "./parts.ts";

export interface CrashOptions {
  readonly kills: number;
  readonly seed: number;
  /** Connections a second. */
  readonly rate: number;
  readonly app: boolean;
  readonly say: (sentence: string) => void;
  /** No more kills, and the verdict on those that were. */
  readonly enough?: AbortSignal;
}

export interface CrashResult extends Verdict {
  readonly kills: number;
  /** Of them, all parts at the same moment. */
  readonly together: number;
}

/** Every so manieth kill takes all parts at once. */
const TOGETHER_EVERY = 4;
const DRAINED_WITHIN_MS = 300_000;

/** Needs root: it loads the real programs. Throws when a part does not come back after a kill. */
export async function crash({ kills, seed, rate, app, say, enough }: CrashOptions): Promise<CrashResult> {
  await using machine = await makeMachine(rate, app);
  const evidence = new Evidence(machine.dataDir);
  const parts = [
    machine.parts.store,
    machine.parts.collector,
    ...(machine.parts.app === undefined ? [] : [machine.parts.app]),
  ];
  const random = randomOf(seed, "crash");
  for (const part of parts) {
    part.start();
    await part.ready(say);
  }
  let together = 0;
  let done = 0;
  for (let kill = 1; kill <= kills && enough?.aborted !== true; kill++) {
    // One in four comes while the last victims are still coming back: recovery is killed, too.
    if (random() < 0.25) await pause(between(random, 0, 700));
    else {
      await Promise.all(parts.map((part) => part.ready(say)));
      await pause(between(random, 20, 1500));
    }
    const all = kill % TOGETHER_EVERY === 0;
    if (all) together++;
    // the app holds nothing, so it dies less often alone
    const victims = all ? parts : [pick(random, [...parts.slice(0, 2), ...parts.slice(0, 2), ...parts.slice(2)])];
    await Promise.all(victims.map((part) => part.end("SIGKILL")));
    if (victims.includes(machine.parts.collector)) await evidence.take();
    for (const part of victims) part.start();
    done = kill;
    if (kill % 10 === 0) say(`${kill} of ${kills} kills`);
  }
  await settle(machine, parts, say);
  await evidence.take();
  return { kills: done, together, ...(await evidence.judge(machine.env)) };
}

/** Orderly ends of the collector until nothing waits in the spool: one ships what it can within seconds, the next goes on. */
async function settle(machine: Machine, parts: readonly Part[], say: (sentence: string) => void): Promise<void> {
  const { collector } = machine.parts;
  const left = async () =>
    (await readdir(join(machine.dataDir, "spool"))).filter((name) => name !== "quarantine").length;
  await Promise.all(parts.map((part) => part.ready(say)));
  const deadline = Date.now() + DRAINED_WITHIN_MS;
  for (let waiting = Infinity; waiting > 0;) {
    if (Date.now() > deadline) throw new Error(`${waiting} files still wait in the spool`);
    await pause(1000);
    await collector.end("SIGTERM");
    waiting = await left();
    if (waiting === 0) return;
    say(`${waiting} files still wait; the collector goes on`);
    collector.start();
    await collector.ready(say);
  }
}
