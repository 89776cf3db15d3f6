/**
 * Fills a store with rows like those of a shop: `node bench/fill.ts --rows 1e6 --seed 1 --minutes 60 [--teams 0] [--until ISO]`.
 * Up to SENT rows are sent as a collector sends them; the engine makes the rest by copying these (bench/fill-copies.ts).
 * The store is the one of the environment (WEIR_DATA_DIR, WEIR_STORE_PORT, WEIR_CLICKHOUSE_URL), or `--url http://127.0.0.1:7071`.
 * For screens under construction and for bench/query.ts. What it writes is made up, and says so in `nodes.agent`.
 */
import { parseArgs } from "node:util";
import { WeirError } from "../model/errors.ts";
import { storeConfig, type StoreConfig } from "../store/config.ts";
import { FLOW_COLUMNS } from "../store/layout.ts";
import { RowEncoder } from "../store/row-binary.ts";
import { openWriter, type StoreWriter } from "../store/writer.ts";
import { copyRows } from "./fill-copies.ts";
import { FlowBatch } from "./fill-rows.ts";
import { makeWorld, random, type Part } from "./fill-world.ts";

export interface FillSettings {
  readonly rows: number;
  readonly seed: number;
  readonly minutes: number;
  readonly teams: number;
  /** End of the time that is filled, ms since 1970. */
  readonly until: number;
}

const BATCH_ROWS = 50_000;
/** Rows at most that go through the client, about 70,000 a second. */
const SENT = 2_500_000;
const NODES = ["node-a", "node-b"];
const BOOTS = ["6f1f9a52-1d43-4f0e-9c57-0a5f4f3b0001", "6f1f9a52-1d43-4f0e-9c57-0a5f4f3b0002"];

export interface Filled {
  /** Rows there are, and the seconds that all of it took. */
  readonly rows: number;
  readonly seconds: number;
  /** Those that were sent, not copied. */
  readonly sentRows: number;
  readonly sentSeconds: number;
}

/** Writes the rows, oldest first, and the names, nodes, DNS answers and books that go with them. */
export async function fillStore(writer: StoreWriter, settings: FillSettings, signal: AbortSignal): Promise<Filled> {
  const began = performance.now();
  const sent = await sendRows(writer, { ...settings, rows: Math.min(settings.rows, SENT) }, signal);
  const sentSeconds = (performance.now() - began) / 1000;
  const from = settings.until - settings.minutes * 60_000;
  const rows =
    settings.rows > SENT ? await copyRows(writer, { rows: settings.rows, from, until: settings.until }, signal) : sent;
  await fillBooks(writer, settings, rows, signal);
  return { rows, seconds: (performance.now() - began) / 1000, sentRows: sent, sentSeconds };
}

async function sendRows(writer: StoreWriter, settings: FillSettings, signal: AbortSignal): Promise<number> {
  const { parts, links } = makeWorld(settings.seed, settings.teams);
  const next = random(settings.seed + 1);
  await fillNames(writer, settings, parts, signal);
  const encoder = new RowEncoder(FLOW_COLUMNS);
  const batch = new FlowBatch(BATCH_ROWS, NODES, BOOTS, settings.seed);
  const out = new Uint8Array(BATCH_ROWS * 400);
  const columns = FLOW_COLUMNS.map((column) => column.name);
  const from = settings.until - settings.minutes * 60_000;
  let written = 0;
  const chooser = weightedChoice(links.map((link) => link.weight));
  for (let segment = 0; written < settings.rows; segment++) {
    const wanted = Math.min(BATCH_ROWS, settings.rows - written);
    batch.clear();
    while (batch.length + 6 <= wanted || batch.length === 0) {
      const share = (written + batch.length) / settings.rows;
      const link = links[chooser(next())]!;
      batch.addConnection(link, from + share * (settings.until - from), next);
    }
    const end = encoder.encode(batch.columns(), 0, batch.length, out, 0);
    if (end < 0) throw new Error(`a batch needs ${-end} bytes`);
    const segmentId = `fill-${settings.seed}-${settings.until}-${settings.rows}-${segment}`;
    await writer.insertSegment(
      {
        table: "flows",
        format: "RowBinary",
        columns,
        body: out.slice(0, end),
        segmentId,
        node: NODES[0]!,
        rows: batch.length,
      },
      signal,
    );
    written += batch.length;
    if (settings.rows - written < 6) break;
  }
  return written;
}

async function fillNames(
  writer: StoreWriter,
  settings: FillSettings,
  parts: readonly Part[],
  signal: AbortSignal,
): Promise<void> {
  const from = text(settings.until - settings.minutes * 60_000);
  const to = text(settings.until);
  await writer.insertRows(
    "identities",
    parts.map((part) => ({
      id: part.idText,
      kind: part.kind,
      shape: part.shape,
      namespace: part.namespace,
      workload: part.workload,
      labels: part.labels,
      first_seen: from,
      last_seen: to,
    })),
    signal,
  );
  const endpoints = parts.flatMap((part) =>
    part.endpoints.map((one, i) => ({
      address: `::ffff:${one.text}`,
      netns: 0,
      node: part.kind === "workload" ? NODES[i % 2] : "",
      identity: part.idText,
      endpoint: one.name,
      process: part.process,
      valid_from: from,
      valid_to: "2200-01-01 00:00:00",
      updated: from,
    })),
  );
  await writer.insertRows("endpoints", endpoints, signal);
  await writer.insertRows(
    "nodes",
    NODES.map((node, i) => ({
      node,
      boot: BOOTS[i],
      kernel: "6.18.0",
      agent: "bench/fill",
      cpus: 2,
      first_seen: from,
      last_seen: to,
    })),
    signal,
  );
  const next = random(settings.seed + 2);
  const clients = parts.filter((part) => ["web", "cart", "catalog", "payments"].includes(part.workload));
  const answers = Array.from({ length: 2000 }, (_, i) => {
    const client = clients[i % clients.length]!;
    const bad = next() < 0.05;
    return {
      ts: text(settings.until - next() * settings.minutes * 60_000),
      node: NODES[i % 2],
      client_id: client.idText,
      client_addr: `::ffff:${client.endpoints[0]!.text}`,
      server_addr: "::ffff:10.1.4.10",
      name: bad ? "cart.storefront.local" : ["api.payments.example", "db.data.svc", "cache.data.svc"][i % 3],
      qtype: i % 4 === 0 ? "AAAA" : "A",
      rcode: bad ? "NXDOMAIN" : "NOERROR",
      addresses: bad || i % 4 === 0 ? [] : ["::ffff:198.51.100.10"],
      latency_us: Math.round(200 + next() * 3000),
    };
  });
  await writer.insertRows("dns_answers", answers, signal);
}

async function fillBooks(
  writer: StoreWriter,
  settings: FillSettings,
  rows: number,
  signal: AbortSignal,
): Promise<void> {
  const next = random(settings.seed + 3);
  const perMinute = Math.floor(rows / settings.minutes / 2);
  const books = Array.from({ length: settings.minutes * 2 }, (_, i) => {
    const lost = next() < 0.05 ? Math.floor(perMinute * 0.002) : 0;
    const filtered = Math.floor(perMinute * 0.1);
    return {
      minute: text(settings.until - Math.floor(i / 2) * 60_000).slice(0, 17) + "00",
      node: NODES[i % 2],
      boot: BOOTS[i % 2],
      generation: 1,
      type: "connection",
      produced: perMinute + lost + filtered,
      stored: perMinute,
      lost,
      shed: 0,
      quarantined: 0,
      filtered,
    };
  });
  await writer.insertRows("books", books, signal);
}

/** Index by weight: a draw from [0, 1) to a place in the list. */
function weightedChoice(weights: readonly number[]): (draw: number) => number {
  const sums: number[] = [];
  let total = 0;
  for (const weight of weights) sums.push((total += weight));
  return (draw) => {
    const wanted = draw * total;
    let [low, high] = [0, sums.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle]! > wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}

function text(at: number): string {
  return new Date(at).toISOString().replace("T", " ").replace("Z", "");
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      url: { type: "string" },
      rows: { type: "string", default: "1e6" },
      seed: { type: "string", default: "1" },
      minutes: { type: "string", default: "60" },
      teams: { type: "string", default: "0" },
      until: { type: "string" },
    },
  });
  try {
    const config: StoreConfig = { ...storeConfig(), ...(values.url !== undefined && { url: values.url }) };
    await using writer = await openWriter(config);
    const until = values.until === undefined ? Date.now() : Date.parse(values.until);
    const settings = {
      rows: Number(values.rows),
      seed: Number(values.seed),
      minutes: Number(values.minutes),
      teams: Number(values.teams),
      until,
    };
    const done = await fillStore(writer, settings, new AbortController().signal);
    process.stdout.write(
      `${done.rows} rows in ${done.seconds.toFixed(1)} s (${Math.round(done.sentRows / done.sentSeconds)} a second of those that were sent)\n`,
    );
  } catch (thrown) {
    if (!(thrown instanceof WeirError)) throw thrown;
    process.stderr.write(`${thrown.message}\n`);
    process.exitCode = 2;
  }
}
