import type { Logger } from "pino";
import { openLog } from "../store/log.ts";

const KEY = Symbol.for("weir.app.log");

/** The app's one log: routes are bundled one by one, so a module's own variable would be one each. */
export function appLog(): Logger {
  const shared = globalThis as { [KEY]?: Logger };
  shared[KEY] ??= openLog("app", process.env);
  return shared[KEY];
}
