import { join } from "node:path";
import { z } from "zod";
import { WeirError } from "../model/errors.ts";
import { dataDirectory, type Environment } from "../store/config.ts";

/** Settings of the app, parsed once from the environment. */
export interface AppConfig {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  /** The collector's unix socket: health and live stream. */
  readonly collectorSocket: string;
  /** Names under which the app may be asked for, beside loopback's: the `Host` of a request must be one of them. */
  readonly names: readonly string[];
}

const PORT = "a port number, 0–65535";

const Settings = z.object({
  WEIR_HOST: z.string().min(1).default("127.0.0.1"),
  WEIR_PORT: z.coerce.number(PORT).int(PORT).min(0, PORT).max(65535, PORT).default(7070),
  WEIR_COLLECTOR_SOCKET: z.string().min(1).optional(),
  WEIR_HOST_NAMES: z.string().default(""),
});

/** The app's settings from `env`. Throws WeirError `bad-setting` that names the variable. */
export function appConfig(env: Environment = process.env): AppConfig {
  const parsed = Settings.safeParse(Object.fromEntries(Object.entries(env).filter(([, value]) => value !== "")));
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const name = String(issue.path[0]);
    throw new WeirError({
      code: "bad-setting",
      where: name,
      what: `"${env[name] ?? ""}" does not fit`,
      expected: issue.message,
    });
  }
  const set = parsed.data;
  return {
    host: set.WEIR_HOST,
    port: set.WEIR_PORT,
    collectorSocket: set.WEIR_COLLECTOR_SOCKET ?? join(dataDirectory(env), "run", "collector.sock"),
    names: set.WEIR_HOST_NAMES.split(",")
      .map((name) => name.trim().toLowerCase())
      .filter((name) => name !== ""),
  };
}
