/**
 * What the app of a build does on its server, run in that build's directory: asks the collector for its health and its live stream,
 * and the store for what the screens show. Prints one JSON line. `old-app.ts DIR SOCKET STORE_PORT`.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { WebSocket } from "ws";

const [dir, socket, storePort] = process.argv.slice(2) as [string, string, string];
const from = (path: string): Promise<Record<string, never>> => import(pathToFileURL(join(dir, path)).href);
// Of another build than the types here: its exports are called by their names.
const call = (module: Record<string, never>, name: string) =>
  module[name] as unknown as (...args: unknown[]) => Promise<Record<string, unknown>>;
const signal = AbortSignal.timeout(30_000);

const collector = await call(await from("app/collector.ts"), "collectorState")(socket, signal);
const gateway = (await from("app/live/gateway.ts"))["openGateway"] as unknown as (path: string) => {
  accept(...args: unknown[]): void;
  close(): Promise<void>;
};
const live = gateway(socket);
const server = createServer().on("upgrade", (request, stream, head) => live.accept(request, stream, head));
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const ws = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`);
const messages: { type: string; flows?: unknown[]; message?: string }[] = [];
ws.on("message", (data: Buffer) => messages.push(JSON.parse(data.toString()) as (typeof messages)[number]));
await new Promise((resolve) => ws.once("open", resolve));
ws.send(JSON.stringify({ type: "subscribe", id: "all", filter: "" }));
const { LiveMessage } = (await from("model/wire/live.ts")) as unknown as {
  LiveMessage: { safeParse(value: unknown): { success: boolean } };
};
const flowsAndPulse = () =>
  messages.some((message) => message.type === "flows" && (message.flows?.length ?? 0) > 0) &&
  messages.some((message) => message.type === "pulse");
while (!flowsAndPulse()) {
  signal.throwIfAborted();
  await new Promise((resolve) => setTimeout(resolve, 20));
}
const refused = messages.filter((message) => !LiveMessage.safeParse(message).success).length;
ws.terminate();
await live.close();
server.close();

const config = call(
  await from("store/config.ts"),
  "storeConfig",
)({
  WEIR_CLICKHOUSE_URL: `http://127.0.0.1:${storePort}`,
}) as unknown;
const reader = call(await from("store/reader.ts"), "openReader")(config) as unknown as { close(): Promise<void> };
const { filter } = call(await from("model/filter/parse.ts"), "parseFilter")("") as unknown as { filter: unknown };
const range = { from: Date.now() - 900_000, to: Date.now() + 60_000 };
const question = { range, filter, scope: [], limit: 100, buckets: 60 };
const status = await call(await from("store/queries/status.ts"), "status")(reader, signal);
const map = await call(await from("store/queries/map-edges.ts"), "mapEdges")(reader, question, signal);
const flows = await call(await from("store/queries/flows-page.ts"), "flowsPage")(reader, question, signal);
const drops = await call(await from("store/queries/drop-causes.ts"), "dropCauses")(reader, question, signal);
const books = await call(await from("store/queries/books-in-range.ts"), "booksInRange")(reader, range, signal);
const count = (value: unknown): number => (Array.isArray(value) ? value.length : -1);
process.stdout.write(
  `${JSON.stringify({
    collector: collector["state"],
    says: collector["message"],
    refused,
    nodes: count(status["nodes"]),
    edges: count(map["edges"]),
    flows: count(flows["flows"]),
    causes: count(drops["causes"]),
    minutes: count(books["minutes"]),
  })}\n`,
);
await reader.close();
process.exit(0);
