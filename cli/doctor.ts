import { access, constants, statfs } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { EbpfSource } from "../collector/sources/ebpf.ts";
import type { HookReport } from "../collector/sources/source.ts";
import { systemCode, WeirError } from "../model/errors.ts";
import { storeConfig } from "../store/config.ts";
import { makeDirectory } from "../store/directory.ts";
import { openReader, storeVersion } from "../store/reader.ts";

/** One thing that was looked at. `next` says what to type when it is not well. */
export interface Finding {
  readonly what: string;
  readonly state: "ok" | "warning" | "bad";
  readonly detail: string;
  readonly next?: string;
}

export interface Diagnosis {
  readonly findings: readonly Finding[];
  /** Empty when the kernel could not be asked at all. */
  readonly hooks: readonly HookReport[];
}

/** How long events are counted: long enough that something happens on an idle machine, short enough to wait for. */
const WATCH_MS = 1_500;
/** Below this much free disk the spool and the store will soon be full. */
const LOW_DISK_BYTES = 1e9;

/** Looks at everything that `weir start` needs: Node, disk, store, rights, kernel, and each program by loading it. Never throws for what it finds. */
export async function diagnose(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Diagnosis> {
  const findings: Finding[] = [nodeFinding(), await dataDirFinding(env), await storeFinding(env, signal)];
  const { finding, hooks } = await kernelFinding(signal);
  findings.push(finding);
  return { findings, hooks };
}

function nodeFinding(): Finding {
  const major = Number(process.versions.node.split(".")[0]);
  const what = "Node";
  if (major >= 22) return { what, state: "ok", detail: process.version };
  return {
    what,
    state: "bad",
    detail: `${process.version} is too old to run .ts files`,
    next: "npm ci (it brings Node 24), then ./bin/weir",
  };
}

async function dataDirFinding(env: NodeJS.ProcessEnv): Promise<Finding> {
  const what = "data directory";
  const { dataDir } = storeConfig(env);
  try {
    await makeDirectory(dataDir);
    await access(dataDir, constants.W_OK);
    const { bavail, bsize } = await statfs(dataDir);
    const free = bavail * bsize;
    const detail = `${dataDir}, ${(free / 1e9).toFixed(1)} GB free`;
    if (free < LOW_DISK_BYTES)
      return {
        what,
        state: "warning",
        detail,
        next: "free some space, or choose another directory with WEIR_DATA_DIR",
      };
    return { what, state: "ok", detail };
  } catch (cause) {
    const why =
      systemCode(cause) === "EROFS"
        ? "its disk is read-only"
        : systemCode(cause) === "EACCES"
          ? "no right to write there"
          : systemCode(cause) === "ENOENT"
            ? "no directory can be made there"
            : String(cause);
    return { what, state: "bad", detail: `${dataDir}: ${why}`, next: "choose another directory with WEIR_DATA_DIR" };
  }
}

async function storeFinding(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Finding> {
  const what = "store";
  const config = storeConfig(env);
  await using reader = openReader(config);
  try {
    const version = await storeVersion(reader, AbortSignal.any([signal, AbortSignal.timeout(5_000)]));
    return { what, state: "ok", detail: `${config.url}, ClickHouse ${version}` };
  } catch (error) {
    const detail = error instanceof WeirError ? error.message : String(error);
    if (config.embedded)
      return { what, state: "warning", detail: `not running at ${config.url}`, next: "weir start starts it" };
    return { what, state: "bad", detail, next: "see WEIR_CLICKHOUSE_URL, its user and password" };
  }
}

/** Loads every program, counts events for a moment, and takes them out again. */
async function kernelFinding(signal: AbortSignal): Promise<{ finding: Finding; hooks: readonly HookReport[] }> {
  const what = "kernel";
  if (!existsSync(join("/sys", "kernel", "btf", "vmlinux"))) {
    return {
      finding: {
        what,
        state: "bad",
        detail: "no BTF (/sys/kernel/btf/vmlinux): its programs cannot be fitted to this kernel",
        next: "use a kernel with CONFIG_DEBUG_INFO_BTF (Debian 11, Ubuntu 20.10 and newer have it)",
      },
      hooks: [],
    };
  }
  try {
    await using source = new EbpfSource({ sink: () => undefined, say: () => undefined });
    await source.start(signal);
    await delay(WATCH_MS, undefined, { signal });
    source.flush();
    const hooks = source.hooks();
    const refused = hooks.filter((hook) => hook.state !== "loaded").length;
    const detail =
      refused === 0
        ? `all ${hooks.length} programs loaded`
        : `${refused} of ${hooks.length} programs not loaded; the rest works`;
    return { finding: { what, state: refused === 0 ? "ok" : "warning", detail }, hooks };
  } catch (error) {
    if (!(error instanceof WeirError)) throw error;
    const finding: Finding = {
      what,
      state: "bad",
      detail: error.what,
      ...(error.next === undefined ? {} : { next: error.next }),
    };
    return { finding, hooks: [] };
  }
}
