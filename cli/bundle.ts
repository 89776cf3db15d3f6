/** `weir doctor --bundle`: all that somebody who helps needs, in one file, without secrets, and without addresses and names unless they are wanted. */
import { mkdir, writeFile } from "node:fs/promises";
import { hostname, userInfo } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readFileSync } from "node:fs";
import { systemCode, WeirError } from "../model/errors.ts";
import { storeConfig, type Environment } from "../store/config.ts";
import { tokenPath } from "../store/embedded/token.ts";
import { openReader } from "../store/reader.ts";
import { Redactor } from "./bundle/redact.ts";
import {
  configFile,
  environmentOf,
  holders,
  logFiles,
  machineFile,
  namesOf,
  pageFiles,
  SECRET_NAME,
  spoolFile,
  storeFiles,
  versionsFile,
} from "./bundle/sources.ts";
import { tarGz, type TarFile } from "./bundle/tar.ts";
import type { Diagnosis } from "./doctor.ts";
import { appAddress } from "./settings.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const STORE_WITHIN_MS = 30_000;

export interface BundleOptions {
  /** `NAME.tar.gz` or `.tgz`; any other name is a new directory. */
  readonly output: string;
  readonly withAddresses: boolean;
}

/** Writes the bundle and returns what is in it. Throws WeirError when the file cannot be made, or is there already. */
export async function writeBundle(
  env: Environment,
  diagnosis: Diagnosis,
  { output, withAddresses }: BundleOptions,
  signal: AbortSignal,
): Promise<readonly { readonly name: string; readonly bytes: number }[]> {
  const store = storeConfig(env);
  const { dataDir } = store;
  const { host, port } = appAddress({ ...env } as NodeJS.ProcessEnv);
  const files: TarFile[] = [
    versionsFile(ROOT),
    machineFile(),
    { name: "doctor.json", text: `${JSON.stringify(diagnosis, null, 2)}\n` },
    await configFile(env, dataDir, withAddresses),
    await spoolFile(dataDir),
  ];
  const reach = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  const socket = env["WEIR_COLLECTOR_SOCKET"] ?? join(dataDir, "run", "collector.sock");
  files.push(...(await pageFiles(socket, store, `http://${reach.includes(":") ? `[${reach}]` : reach}:${port}`)));

  const known = { names: [hostname(), userInfo().username], isWhole: false };
  await using reader = openReader(store);
  try {
    const within = AbortSignal.any([signal, AbortSignal.timeout(STORE_WITHIN_MS)]);
    known.names.push(...(await namesOf(reader, within)));
    known.isWhole = true;
    files.push(...(await storeFiles(reader, within)));
  } catch (thrown) {
    signal.throwIfAborted();
    files.push({ name: "store/no-answer.txt", text: `${thrown instanceof Error ? thrown.message : String(thrown)}\n` });
  }
  // Without the store's names a log's can't be told from other words.
  const leavesLogsOut = !known.isWhole && !withAddresses;
  if (!leavesLogsOut) files.push(...(await logFiles(dataDir)));

  const redactor = new Redactor({
    secrets: await secretsOf(env, dataDir, store.password),
    names: known.names,
    keep: engineVersions(files),
    withAddresses,
  });
  // The schema and the versions hold no names of anybody's; stand-ins in them would only confuse.
  const own = new Set(["store/schema.sql", "versions.json"]);
  const clean = files.map(({ name, text }) => ({
    name,
    text: own.has(name) ? redactor.withoutSecrets(text) : redactor.text(text),
  }));
  const words = aboutFile(withAddresses, leavesLogsOut, redactor);
  const all = [words, ...clean];
  await write(output, all);
  return all.map(({ name, text }) => ({ name, bytes: Buffer.byteLength(text) }));
}

async function secretsOf(env: Environment, dataDir: string, password: string): Promise<string[]> {
  const secrets = [password];
  const add = (of: Environment): void => {
    for (const [name, value] of Object.entries(of)) {
      if (value === undefined) continue;
      if (SECRET_NAME.test(name) && value.length >= 4) secrets.push(value);
      const inUrl = /^https?:\/\/[^/@\s]*:([^/@\s]+)@/.exec(value)?.[1];
      if (inUrl !== undefined) secrets.push(inUrl, decodeURIComponent(inUrl));
    }
  };
  add(env);
  for (const { pid } of await holders(dataDir)) add(environmentOf(pid));
  try {
    secrets.push(readFileSync(tokenPath(dataDir), "utf8").trim());
  } catch {
    // no embedded store here, or not for this user: then its token is in no text either
  }
  return secrets;
}

/** `26.5.1.882` looks like an address. */
function engineVersions(files: readonly TarFile[]): string[] {
  const texts = files.map((file) => file.text).join("\n");
  return [...texts.matchAll(/(?:ClickHouse |storeVersion": ?"|engine=")(\d+\.\d+\.\d+\.\d+)/g)].map(
    (match) => match[1]!,
  );
}

function aboutFile(withAddresses: boolean, leavesLogsOut: boolean, redactor: Redactor): TarFile {
  const { addresses, names } = redactor.counts;
  const lines = [
    `Made by weir doctor --bundle at ${new Date().toISOString()}. Look through it before you send it.`,
    "Passwords and tokens are left out. No row of recorded traffic is in it.",
    withAddresses
      ? "Addresses and names are in it, as was asked for (--with-addresses)."
      : `${addresses} addresses and ${names} names were replaced by address-N and name-N, the same one by the same.`,
    ...(leavesLogsOut
      ? [
          "Logs are left out: the store did not answer, and without its names those in a log can't be told from other words.",
        ]
      : []),
  ];
  return { name: "about.txt", text: `${lines.join("\n")}\n` };
}

async function write(output: string, files: readonly TarFile[]): Promise<void> {
  const tar = /\.(tar\.gz|tgz)$/.exec(output);
  try {
    if (tar !== null) {
      const folder = basename(output).slice(0, -tar[0].length);
      await writeFile(output, tarGz(folder === "" ? "weir" : folder, files, Date.now()), { flag: "wx", mode: 0o600 });
      return;
    }
    await mkdir(output, { mode: 0o700 });
    for (const folder of new Set(files.map(({ name }) => dirname(name)).filter((name) => name !== ".")))
      await mkdir(join(output, folder), { mode: 0o700 });
    for (const { name, text } of files) await writeFile(join(output, name), text, { mode: 0o600 });
  } catch (cause) {
    const code = systemCode(cause);
    if (code === undefined) throw cause;
    throw new WeirError({
      code: "bundle-unwritable",
      where: output,
      what: code === "EEXIST" ? "there is something of that name already" : `the bundle cannot be written (${code})`,
      next: "choose another name for --bundle",
      cause,
    });
  }
}
