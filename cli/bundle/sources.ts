/** What a support bundle is made of, as it is: nothing is taken out here (redact.ts does). Each source that does not answer is said, never thrown. */
import { constants, readFileSync } from "node:fs";
import { lstat, readdir, readFile } from "node:fs/promises";
import { request } from "node:http";
import { arch, cpus, freemem, loadavg, release, totalmem, uptime, version } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { StoreConfig, Environment } from "../../store/config.ts";
import type { StoreReader } from "../../store/reader.ts";
import { sizes } from "../../store/queries/sizes.ts";
import type { TarFile } from "./tar.ts";

const WITHIN_MS = 10_000;
/** Newest bytes of each log. */
const LOG_BYTES = 500_000;

/** Kernel, distribution, memory, and what this process may do. */
export function machineFile(): TarFile {
  const osRelease = textOf("/etc/os-release");
  const name = /^PRETTY_NAME="?([^"\n]+)/m.exec(osRelease)?.[1] ?? "unknown";
  const status = textOf("/proc/self/status");
  const lines = [
    `system: ${name}, ${process.platform} ${arch()}`,
    `kernel: ${release()}`,
    `kernel build: ${version()}`,
    `CPUs: ${cpus().length} × ${cpus()[0]?.model.trim() ?? "unknown"}`,
    `memory: ${Math.round(totalmem() / 1e6)} MB, ${Math.round(freemem() / 1e6)} MB free`,
    `up: ${Math.round(uptime())} s, load ${loadavg()
      .map((load) => load.toFixed(1))
      .join(" ")}`,
    `user: ${process.getuid?.() === 0 ? "root" : "not root"}`,
    ...(status.match(/^Cap(?:Inh|Prm|Eff|Bnd|Amb):.*$/gm) ?? []),
    `perf_event_paranoid: ${textOf("/proc/sys/kernel/perf_event_paranoid").trim()}`,
    `unprivileged_bpf_disabled: ${textOf("/proc/sys/kernel/unprivileged_bpf_disabled").trim()}`,
  ];
  return { name: "machine.txt", text: `${lines.join("\n")}\n` };
}

/** Weir, Node, and the packages that matter, with the versions that are installed. */
export function versionsFile(root: string): TarFile {
  const own = z.object({ version: z.string() });
  const packages = ["chdb", "@clickhouse/client", "koffi", "next", "react", "ws", "pino"];
  const versions = packages.map((name) => {
    const text = textOf(join(root, "node_modules", name, "package.json"));
    return [name, text === "" ? "not installed" : own.parse(JSON.parse(text)).version];
  });
  const weir = own.parse(JSON.parse(readFileSync(join(root, "package.json"), "utf8"))).version;
  const all = { weir, node: process.version, ...Object.fromEntries(versions) };
  return { name: "versions.json", text: `${JSON.stringify(all, null, 2)}\n` };
}

/** Settings that hold names or addresses: without --with-addresses only said to be set. */
const NAMING =
  /^WEIR_(NODE|NETNS|INVENTORY|HOST|HOST_NAMES|CLICKHOUSE_URL|CLICKHOUSE_USER|CLICKHOUSE_CLUSTER|METRICS_HOST|DATA_DIR|COLLECTOR_SOCKET|REPLAY)$/;
const KNOWN = /^WEIR_[A-Z_]+$/;
export const SECRET_NAME = /PASSWORD|TOKEN|SECRET|_KEY$|CREDENTIAL|COOKIE|CERT/;

/** WEIR_* of this shell and of the running processes; values of secrets never, of names only where they are wanted. */
export async function configFile(env: Environment, dataDir: string, withAddresses: boolean): Promise<TarFile> {
  const section = (title: string, of: Environment): string => {
    const lines = Object.entries(of)
      .filter(([name, value]) => KNOWN.test(name) && value !== undefined && value !== "")
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => {
        if (SECRET_NAME.test(name)) return `${name}=(set, hidden)`;
        return NAMING.test(name) && !withAddresses ? `${name}=(set)` : `${name}=${value}`;
      });
    return `# ${title}\n${lines.length === 0 ? "(all settings are the defaults)" : lines.join("\n")}\n`;
  };
  const sections = [section("this shell", env)];
  for (const { part, pid } of await holders(dataDir)) sections.push(section(`the running ${part}`, environmentOf(pid)));
  return { name: "config.txt", text: sections.join("\n") };
}

/** Processes that hold the data directory (store/embedded/lock.ts). */
export async function holders(dataDir: string): Promise<{ readonly part: string; readonly pid: number }[]> {
  const names = await readdir(join(dataDir, "run")).catch(() => []); // nothing was started here yet
  const found: { part: string; pid: number }[] = [];
  for (const name of names.filter((each) => each.endsWith(".pid"))) {
    const parsed = z.object({ pid: z.number() }).safeParse(jsonOf(textOf(join(dataDir, "run", name))));
    if (parsed.success) found.push({ part: name.slice(0, -4), pid: parsed.data.pid });
  }
  return found;
}

/** The environment of a process; empty when it is gone or of another user. */
export function environmentOf(pid: number): Environment {
  const pairs = textOf(`/proc/${pid}/environ`)
    .split("\0")
    .map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)] as const);
  return Object.fromEntries(pairs.filter(([name]) => name !== ""));
}

/** Schema, sizes, what the collectors said of themselves in the last hour, the books of a day. */
export async function storeFiles(reader: StoreReader, signal: AbortSignal): Promise<TarFile[]> {
  const rows = (sql: string) =>
    reader.rows({ sql, row: z.record(z.string(), z.unknown()) }, { database: reader.config.database }, signal);
  const lines = async (sql: string): Promise<string> =>
    (await rows(sql)).map((row) => `${JSON.stringify(row)}\n`).join("");
  const made = await rows(
    "SELECT create_table_query AS sql FROM system.tables WHERE database = {database:String} ORDER BY name LIMIT 500",
  );
  return [
    { name: "store/schema.sql", text: made.map((row) => `${String(row["sql"])};\n\n`).join("") },
    {
      name: "store/migrations.jsonl",
      text: await lines(
        "SELECT version, any(name) AS name, any(hash) AS hash, max(applied) AS applied FROM schema_migrations GROUP BY version ORDER BY version LIMIT 1000",
      ),
    },
    { name: "store/sizes.json", text: `${JSON.stringify(await sizes(reader, signal), null, 2)}\n` },
    {
      name: "store/health-last-hour.jsonl",
      text: await lines(
        "SELECT node, metric, label, count() AS n, min(value) AS least, avg(value) AS mean, max(value) AS most, argMax(value, ts) AS newest, argMax(text, ts) AS words FROM collector_health WHERE ts > now() - INTERVAL 1 HOUR GROUP BY node, metric, label ORDER BY node, metric, label LIMIT 5000",
      ),
    },
    {
      name: "store/books-last-day.jsonl",
      text: await lines(
        "SELECT toStartOfHour(minute) AS hour, node, type, sum(produced) AS produced, sum(stored) AS stored, sum(lost) AS lost, sum(shed) AS shed, sum(quarantined) AS quarantined, sum(filtered) AS filtered FROM books WHERE minute > now() - INTERVAL 1 DAY GROUP BY hour, node, type ORDER BY hour, node, type LIMIT 5000",
      ),
    },
  ];
}

const NAMES_SQL = `
SELECT DISTINCT name
FROM
(
  SELECT toString(namespace) AS name FROM identities
  UNION ALL SELECT toString(workload) FROM identities
  UNION ALL SELECT arrayJoin(arrayConcat(mapKeys(labels), mapValues(labels))) FROM identities
  UNION ALL SELECT toString(endpoint) FROM endpoints
  UNION ALL SELECT toString(name) FROM services
  UNION ALL SELECT toString(node) FROM nodes
  UNION ALL SELECT toString(name) FROM dns_answers
)
LIMIT 1000000`;

/** Every name that the store knows: nodes, namespaces, workloads, labels, pods, services, looked-up hosts. */
export async function namesOf(reader: StoreReader, signal: AbortSignal): Promise<string[]> {
  const rows = await reader.rows({ sql: NAMES_SQL, row: z.object({ name: z.string() }) }, {}, signal);
  return rows.map((row) => row.name);
}

/** Pages of the processes: health, readiness and metrics, as far as they answer. */
export async function pageFiles(socket: string, store: StoreConfig, appUrl: string): Promise<TarFile[]> {
  const files: TarFile[] = [];
  for (const path of ["/health", "/readyz", "/metrics"])
    files.push({ name: `collector${path}.txt`, text: await get({ socketPath: socket, path }) });
  for (const [part, base] of [...(store.embedded ? [["store", store.url] as const] : []), ["app", appUrl] as const]) {
    for (const path of ["/readyz", "/metrics"]) {
      const url = new URL(path, base);
      const target = { host: url.hostname.replace(/^\[|\]$/g, ""), port: url.port, path };
      files.push({ name: `${part}${path}.txt`, text: await get(target) });
    }
  }
  return files;
}

/** Spool and quarantine: names, bytes and reasons, no rows. */
export async function spoolFile(dataDir: string): Promise<TarFile> {
  const lines: string[] = [];
  for (const folder of ["spool", "spool/quarantine"]) {
    for (const name of (await readdir(join(dataDir, folder)).catch(() => [])).slice(0, 2000)) {
      const path = join(dataDir, folder, name);
      const facts = await lstat(path).catch(() => undefined); // shipped meanwhile
      if (facts === undefined || !facts.isFile()) continue;
      const reason = name.endsWith(".reason") ? `: ${(await ownText(path)).trim()}` : "";
      lines.push(`${facts.mtime.toISOString()} ${String(facts.size).padStart(10)} ${folder}/${name}${reason}`);
    }
  }
  return { name: "spool.txt", text: lines.length === 0 ? "nothing waits\n" : `${lines.join("\n")}\n` };
}

/** The text of a file in the data directory, which may be an ordinary user's while root asks: no link is followed. "" when there is none. */
async function ownText(path: string): Promise<string> {
  const flag = constants.O_RDONLY | constants.O_NOFOLLOW;
  return readFile(path, { encoding: "utf8", flag }).catch(() => "");
}

/** The newest part of each log that is kept in DATA_DIR/log. */
export async function logFiles(dataDir: string): Promise<TarFile[]> {
  const folder = join(dataDir, "log");
  if ((await lstat(folder).catch(() => undefined))?.isDirectory() !== true) return [];
  const names = (await readdir(folder).catch(() => [])).filter((name) => /\.log(\.1)?$/.test(name));
  return Promise.all(
    names.map(async (name) => {
      const text = await ownText(join(folder, name));
      return { name: `log/${name}`, text: text.slice(-LOG_BYTES) };
    }),
  );
}

function get(target: { socketPath?: string; host?: string; port?: string; path: string }): Promise<string> {
  return new Promise((resolve) => {
    const asked = request({ ...target, timeout: WITHIN_MS }, (answer) => {
      let text = `status ${answer.statusCode ?? 0}\n`;
      answer.setEncoding("utf8").on("data", (part: string) => (text += part));
      answer.on("end", () => resolve(text));
    });
    asked.on("timeout", () => asked.destroy(new Error(`no answer within ${WITHIN_MS / 1000} s`)));
    asked.on("error", (error) => resolve(`no answer: ${error.message}\n`));
    asked.end();
  });
}

/** The text of a file; "" when it is not there or not for us. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // torn by a kill
  }
}
