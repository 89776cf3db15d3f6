/** Settings of the collector: environment variables, parsed once; a wrong value is one sentence. */
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { WeirError } from "../model/errors.ts";
import type { MetricsAddress } from "./health/door.ts";
import { dataDirectory, type Environment } from "../store/config.ts";

/** Where scrapers find the collector when nothing else is set. */
export const METRICS_PORT = 7072;
const METRICS_PORT_WORDS = "expected a port number, 0–65535, or off";

const CPU_WORDS = "expected CPUs, 0.02 or more (0.5 is half of one), or 0 for no limit";

const yesNo = z.enum(["0", "1"], "expected 0 or 1").transform((value) => value === "1");

const Settings = z.object({
  WEIR_NODE: z.string().min(1).max(253).optional(),
  WEIR_COLLECTOR_SOCKET: z
    .string()
    .min(1)
    .max(100, "expected a path of at most 100 characters (unix sockets allow no more)")
    .optional(),
  WEIR_INVENTORY: z.string().min(1).optional(),
  WEIR_NETNS: z.string().min(1).default("all"),
  WEIR_SPOOL_MB: z.coerce
    .number("expected megabytes, 16 or more")
    .int()
    .min(16, "expected megabytes, 16 or more")
    .default(2048),
  WEIR_SWEEP_SECONDS: z.coerce
    .number("expected seconds, 1–3600")
    .min(1, "expected seconds, 1–3600")
    .max(3600, "expected seconds, 1–3600")
    .default(10),
  WEIR_COLLECT_CPU: z.coerce
    .number(CPU_WORDS)
    .min(0, CPU_WORDS)
    .max(1024, CPU_WORDS)
    .refine((cores) => cores === 0 || cores >= 0.02, CPU_WORDS)
    .default(1),
  WEIR_KEEP_NOISE: yesNo.default(false),
  WEIR_METRICS_HOST: z.string().min(1).default("127.0.0.1"),
  WEIR_METRICS_PORT: z
    .union([z.literal("off"), z.coerce.number().int().min(0).max(65535)], METRICS_PORT_WORDS)
    .optional(),
  WEIR_REPLAY: z.string().min(1).optional(),
  WEIR_SOURCE: z.enum(["auto", "ebpf", "replay"], "expected auto, ebpf or replay").default("auto"),
});

export interface CollectorConfig {
  readonly node: string;
  readonly dataDir: string;
  readonly socket: string;
  /** Where /metrics, /healthz and /readyz are, beside the socket; undefined = nowhere. */
  readonly metrics: MetricsAddress | undefined;
  /** Path of the inventory; `undefined` = none is there, and none was asked for. */
  readonly inventory: string | undefined;
  /** True for a namespace (inode, name) that is observed. */
  readonly observes: (inode: number, name: string) => boolean;
  readonly netns: string;
  readonly spoolBytes: number;
  readonly sweepMs: number;
  /** CPUs that the collector may use before it leaves out connections; undefined = no limit. */
  readonly cpuLimit: number | undefined;
  readonly keepNoise: boolean;
  readonly source: "auto" | "ebpf" | "replay";
  /** Recorded sample that plays where the kernel cannot be observed. */
  readonly replay: string | undefined;
}

/** The collector's settings from `env`. Throws WeirError that names the variable, what it held and what was expected. */
export function collectorConfig(env: Environment = process.env): CollectorConfig {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const parsed = Settings.safeParse(given);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const name = String(issue.path[0]);
    throw new WeirError({
      code: "bad-setting",
      where: name,
      what: `"${given[name] ?? ""}" cannot be used`,
      expected: issue.message.replace(/^expected /, ""),
    });
  }
  const set = parsed.data;
  const dataDir = dataDirectory(env);
  const inventory = set.WEIR_INVENTORY ?? join(dataDir, "inventory.yaml");
  if (set.WEIR_INVENTORY !== undefined && !existsSync(inventory)) {
    throw new WeirError({
      code: "bad-setting",
      where: "WEIR_INVENTORY",
      what: `there is no file ${inventory}`,
      next: "write one (docs/inventory.md), or leave the setting out",
    });
  }
  return {
    node: set.WEIR_NODE ?? hostname(),
    dataDir,
    socket: set.WEIR_COLLECTOR_SOCKET ?? join(dataDir, "run", "collector.sock"),
    metrics:
      set.WEIR_METRICS_PORT === "off"
        ? undefined
        : {
            host: set.WEIR_METRICS_HOST,
            port: set.WEIR_METRICS_PORT ?? METRICS_PORT,
            required: set.WEIR_METRICS_PORT !== undefined,
          },
    inventory,
    observes: namespaceTest(set.WEIR_NETNS),
    netns: set.WEIR_NETNS,
    spoolBytes: set.WEIR_SPOOL_MB * 1024 * 1024,
    sweepMs: set.WEIR_SWEEP_SECONDS * 1000,
    cpuLimit: set.WEIR_COLLECT_CPU === 0 ? undefined : set.WEIR_COLLECT_CPU,
    keepNoise: set.WEIR_KEEP_NOISE,
    source: set.WEIR_SOURCE,
    replay: set.WEIR_REPLAY,
  };
}

/** `all`, or names, inode numbers and `prefix*`, separated by commas. */
export function namespaceTest(text: string): (inode: number, name: string) => boolean {
  if (text.trim() === "all") return () => true;
  const parts = text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  const wrong = parts.find((part) => !/^[\w.:@-]+\*?$/.test(part));
  if (parts.length === 0 || wrong !== undefined) {
    throw new WeirError({
      code: "bad-setting",
      where: "WEIR_NETNS",
      what: `"${wrong ?? text}" cannot be used`,
      expected: "all, or names, inode numbers or prefix* separated by commas",
    });
  }
  const prefixes = parts.filter((part) => part.endsWith("*")).map((part) => part.slice(0, -1));
  const exact = new Set(parts.filter((part) => !part.endsWith("*")));
  return (inode, name) =>
    exact.has(String(inode)) ||
    (name !== "" && (exact.has(name) || prefixes.some((prefix) => name.startsWith(prefix))));
}
