/** `weir collect`: observes this machine, or replays the recorded sample where that is not allowed, until it is told to end. */
import { setPriority } from "node:os";
import { Agent, packageVersion } from "../collector/agent.ts";
import { collectorConfig } from "../collector/config.ts";
import { chooseSource } from "../collector/sources/choose.ts";
import { storeConfig, type Environment } from "../store/config.ts";
import { openLog } from "../store/log.ts";

/** Runs the collector until `signal`. Throws WeirError with what is in the way. */
export async function collect(env: Environment, signal: AbortSignal, recordTo?: string): Promise<void> {
  const config = collectorConfig(env);
  storeConfig(env); // a setting that can never work ends here; a store that is only away is waited for
  askForTheCpu();
  const log = openLog("collector", env);
  const agent = new Agent({
    config,
    env,
    log,
    version: packageVersion(),
    choose: (sink) => chooseSource(config, sink, (sentence) => log.warn(sentence), recordTo),
  });
  try {
    await agent.start();
    if (!signal.aborted)
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  } finally {
    await agent[Symbol.asyncDispose]();
  }
}

/** A busy host must not starve its observer: what is not read in time is lost. The collector itself uses little. */
const NICE = -10;

function askForTheCpu(): void {
  try {
    setPriority(NICE);
  } catch {
    // Not root (CAP_SYS_NICE): it runs as others do, and what a full ring loses is counted.
  }
}
