/**
 * What a process says about itself: one line a message on standard error, in store, collector and app alike.
 * JSON for machines, or `hh:mm:ss LEVEL part  message (name=value …)` where a person reads.
 */
import { pino, type DestinationStream, type Logger } from "pino";
import { z } from "zod";
import type { Environment } from "./config.ts";
import { StoreError } from "./errors.ts";

const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

const Settings = z.object({
  WEIR_LOG_LEVEL: z.enum(LEVELS, LEVELS.join(", ")).default("info"),
  WEIR_LOG_FORMAT: z.enum(["auto", "json", "pretty"], "auto, json or pretty").default("auto"),
});

/** Fields that never reach a line, whoever logs them. */
const SECRET = ["password", "token", "authorization", "cookie", "*.password", "*.token", "*.authorization", "*.cookie"];

/**
 * The log of `part` (`store`, `collector`, `app`), by WEIR_LOG_LEVEL and WEIR_LOG_FORMAT. `auto` is pretty at a terminal and
 * below `weir start`, else JSON. Lines are written at once, so that the last one before a crash is there. Throws StoreError
 * `bad-setting`.
 */
export function openLog(part: string, env: Environment, out?: DestinationStream): Logger {
  const parsed = Settings.safeParse(Object.fromEntries(Object.entries(env).filter(([, value]) => value !== "")));
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const name = String(issue.path[0]);
    throw new StoreError({
      code: "bad-setting",
      where: name,
      what: `"${env[name] ?? ""}" does not fit`,
      expected: issue.message,
    });
  }
  const { WEIR_LOG_LEVEL: level, WEIR_LOG_FORMAT: format } = parsed.data;
  const isPretty =
    format === "pretty" || (format === "auto" && (process.stderr.isTTY === true || env["WEIR_LEASH"] === "1"));
  const lines = out ?? pino.destination({ dest: 2, sync: true });
  return pino(
    {
      name: part,
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET, censor: "(hidden)" },
    },
    isPretty ? { write: (line) => lines.write(prettyLine(line)) } : lines,
  );
}

const Line = z.looseObject({ level: z.string(), time: z.string(), name: z.string(), msg: z.string().default("") });

/** A JSON line as a person reads it. Exported for its test. */
export function prettyLine(line: string): string {
  const { level, time, name, msg, pid: _pid, ...rest } = Line.parse(JSON.parse(line));
  const facts = Object.entries(rest).map(([key, value]) => `${key}=${plain(value)}`);
  const tail = facts.length === 0 ? "" : ` (${facts.join(", ")})`;
  return `${time.slice(11, 19)} ${level.toUpperCase().padEnd(5)} ${name.padEnd(9)} ${visible(msg)}${tail}\n`;
}

function plain(value: unknown): string {
  if (typeof value !== "string") return visible(JSON.stringify(value));
  return /^[\w./:@+-]+$/.test(value) ? value : visible(JSON.stringify(value));
}

/** Without what a terminal obeys: control characters, and marks that turn the direction of writing. */
function visible(text: string): string {
  return text.replaceAll(
    // eslint-disable-next-line no-control-regex
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
