/** A real store for a test: its own process, directory and port; taken away when the test file ends. And rows to put into it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { storeConfig, type StoreConfig } from "./config.ts";
import { startStoreProcess, type StoreProcess } from "./embedded/spawn.ts";
import { openReader, type StoreReader } from "./reader.ts";
import { openWriter, type StoreWriter } from "./writer.ts";

export interface TestStore extends AsyncDisposable {
  readonly process: StoreProcess;
  readonly config: StoreConfig;
  readonly writer: StoreWriter;
  readonly reader: StoreReader;
  readonly dataDir: string;
}

export async function startTestStore(): Promise<TestStore> {
  const dataDir = await mkdtemp(join(tmpdir(), "weir-store-test-"));
  const env = { WEIR_DATA_DIR: dataDir, WEIR_STORE_PORT: "0", WEIR_STORE_MEMORY: "700000000" };
  const store = await startStoreProcess(env);
  const config = { ...storeConfig(env), url: store.url };
  const writer = await openWriter(config);
  const reader = openReader(config);
  return {
    process: store,
    config,
    writer,
    reader,
    dataDir,
    async [Symbol.asyncDispose]() {
      await writer.close();
      await reader.close();
      await store.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** No deadline of its own: the test's holds. */
export const unhurried: AbortSignal = new AbortController().signal;

/** The hour that tests put their rows into, ms since 1970: the one before the last whole one, as rows past their TTL would vanish at insert. */
export const HOUR = Math.floor(Date.now() / 3_600_000) * 3_600_000 - 3_600_000;

/** A time in that hour for a DateTime64 column. */
export function inHour(seconds: number): string {
  return new Date(HOUR + seconds * 1000).toISOString().replace("T", " ").replace("Z", "");
}

let sequence = 0;

/** A row of `flows` with what is not named left at a plain client report; every row has its own id. */
export function flowRow(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  sequence++;
  return {
    ts: inHour(30),
    node: "node-a",
    boot: "6f1f9a52-1d43-4f0e-9c57-0a5f4f3b0001",
    generation: 1,
    cpu: 0,
    seq: sequence,
    kind: "open",
    verdict: "allowed",
    reason: "",
    reporter: "client",
    direction: "egress",
    protocol: 6,
    src_addr: "::ffff:10.0.0.1",
    dst_addr: "::ffff:10.0.0.2",
    src_port: 40_000,
    dst_port: 8080,
    service_addr: "::",
    service_port: 0,
    service: "",
    src_id: "1000",
    dst_id: "2000",
    src_ns: "shop",
    src_workload: "web",
    src_endpoint: "web-0",
    src_name: "",
    dst_ns: "shop",
    dst_workload: "cart",
    dst_endpoint: "cart-0",
    dst_name: "",
    process: "node",
    pid: 7,
    cgroup: "0",
    netns: 0,
    device: "",
    socket: "0",
    counted: 1,
    opened: 0,
    closed: 0,
    failed: 0,
    drops: 0,
    bytes_to_server: 0,
    bytes_to_client: 0,
    packets_to_server: 0,
    packets_to_client: 0,
    retransmits: 0,
    rtt_us: 0,
    min_rtt_us: 0,
    connect_us: 0,
    duration_us: 0,
    location: "",
    icmp_type: 0,
    icmp_code: 0,
    tcp_flags: 0,
    hook: "",
    passage: "unknown",
    toward: "unknown",
    ...values,
  };
}
