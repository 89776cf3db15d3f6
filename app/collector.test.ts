import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { collectorState } from "./collector.ts";

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** A unix socket that answers with `listener`. */
async function socketOf(listener: RequestListener): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "weir-collector-state-"));
  const path = join(dir, "collector.sock");
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  ends.push(async () => {
    server.closeAllConnections();
    server.close();
    await rm(dir, { recursive: true, force: true });
  });
  return path;
}

const signal = (): AbortSignal => AbortSignal.timeout(10_000);

test("no socket is a collector that does not run, with the path that was looked at", async () => {
  const state = await collectorState("/nonexistent/collector.sock", signal());
  expect(state).toEqual({
    state: "not running",
    message: "there is no socket /nonexistent/collector.sock",
    health: null,
  });
});

test("a collector that says nothing is given up and said so", async () => {
  const path = await socketOf(() => undefined);
  expect(await collectorState(path, signal())).toMatchObject({
    state: "no answer",
    message: expect.stringContaining("within 1.5 s"),
  });
});

test("an answer in another shape is a collector of another version", async () => {
  const path = await socketOf((_request, response) => response.end("{}"));
  expect(await collectorState(path, signal())).toMatchObject({
    state: "no answer",
    message: expect.stringContaining("another version"),
  });
});

test("something else on the socket is no collector", async () => {
  const path = await socketOf((_request, response) => response.writeHead(404).end("<html>"));
  expect(await collectorState(path, signal())).toMatchObject({
    state: "no answer",
    message: expect.stringContaining("no collector"),
  });
});
