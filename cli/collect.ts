/** `weir collect`: observes this machine, or replays the recorded sample where that is not allowed, until it is told to end. */
import { lchownSync } from "node:fs";
import { setPriority } from "node:os";
import { dirname, resolve } from "node:path";
import { Agent, packageVersion } from "../collector/agent.ts";
import { collectorConfig } from "../collector/config.ts";
import { boundByExec, keptRights, leaveRoot } from "../collector/kernel/leave-root.ts";
import { chooseSource } from "../collector/sources/choose.ts";
import { storeConfig, type Environment } from "../store/config.ts";
import { openLog } from "../store/log.ts";
import { handOver } from "./rights/hand-over.ts";
import { canReach, ordinaryUser, type OrdinaryUser } from "./rights/ordinary-user.ts";

/** Runs the collector until `signal`. Throws WeirError with what is in the way. */
export async function collect(given: Environment, signal: AbortSignal, recordTo?: string): Promise<void> {
  const config = collectorConfig(given);
  const env: Environment = { ...given, WEIR_DATA_DIR: config.dataDir }; // the default of whom it becomes is another directory
  storeConfig(env); // a setting that can never work ends here; a store that is only away is waited for
  const user = collectorUser(env, config.dataDir);
  const kept = keptRights(env["WEIR_RIGHTS"] === "more");
  if (user !== undefined) boundByExec(kept);
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
    if (user !== undefined) {
      handOver(config.dataDir, user);
      if (!config.socket.startsWith(`${config.dataDir}/`)) lchownSync(config.socket, user.uid, user.gid);
      const rights = leaveRoot(user, kept, config.dataDir);
      log.info({ uid: user.uid, rights }, "the collector has left root");
    }
    if (!signal.aborted)
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  } finally {
    await agent[Symbol.asyncDispose]();
  }
}

/** Whom it becomes. Undefined: it stays who it is, since it was not root, or nobody else can get to its directory. */
function collectorUser(env: Environment, dataDir: string): OrdinaryUser | undefined {
  const user = ordinaryUser(env, dataDir);
  return user !== undefined && canReach(user, [dirname(resolve(dataDir))]) ? user : undefined;
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
