/**
 * From the kernel's event to the pixel: node bench/live.ts [--events 200]. Connections that are refused, made one by one in a network
 * namespace of the bench's own, each to another port; the Flows page, live, in headless Chromium. Clock: this machine's, at the moment
 * before connect(2) and in the frame after the one in which the row stands in the document. Beside it the same events on the
 * collector's own socket: what the stretch to the browser adds. Needs root, iproute2, Chromium.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { chromium } from "@playwright/test";
import { WebSocket } from "ws";
import { CHROMIUM, machine, quantile, startHouse, toLimit } from "./house.ts";

const P50_LIMIT_MS = 400; // rings are read every 100 ms, rows settle for as long, the stream is sent every 100 ms
const P99_LIMIT_MS = 1000;
const FIRST_PORT = 20_001;

/** Connects to a closed port whenever it is told one, and says when. */
const CLIENT = `
const net = require("node:net");
require("node:readline").createInterface({ input: process.stdin }).on("line", (port) => {
  const at = performance.timeOrigin + performance.now();
  const socket = net.connect({ host: "127.0.0.1", port: Number(port) });
  socket.on("error", () => console.log(port + " " + at));
});
console.log("ready");
`;

const { values } = parseArgs({ options: { events: { type: "string", default: "200" } } });
const events = Number(values.events);
const netns = `weirlive${process.pid}`;
execFileSync("ip", ["netns", "add", netns]);
try {
  execFileSync("nsenter", [`--net=/run/netns/${netns}`, "ip", "link", "set", "lo", "up"]);
  process.exitCode = await measure();
} finally {
  execFileSync("ip", ["netns", "del", netns]);
}

async function measure(): Promise<number> {
  await using house = await startHouse({ WEIR_NETNS: String(statSync(`/run/netns/${netns}`).ino) });
  const client = spawn("nsenter", [`--net=/run/netns/${netns}`, process.execPath, "-e", CLIENT], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const browser = await chromium.launch(CHROMIUM);
  try {
    const said = createInterface({ input: client.stdout! })[Symbol.asyncIterator]();
    await said.next();
    const onSocket = new Map<number, number>();
    const socket = new WebSocket(`ws+unix://${house.socket}:/live`);
    await once(socket, "open");
    socket.on("message", (data: Buffer) => {
      const at = performance.timeOrigin + performance.now();
      const message = JSON.parse(data.toString()) as { flows?: { destination: { port: number } }[] };
      for (const { destination } of message.flows ?? [])
        if (!onSocket.has(destination.port)) onSocket.set(destination.port, at);
    });
    socket.send(JSON.stringify({ type: "subscribe", id: "bench", filter: "", kinds: ["fail"] }));

    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    // The page has no table before the store has a row.
    const grid = page.getByRole("grid", { name: "Flows, newest first" });
    for (let i = 0; !(await grid.isVisible()); i++) {
      if (i === 30) throw new Error("the Flows page shows no table");
      client.stdin!.write(`${FIRST_PORT - 1 - i}\n`);
      await said.next();
      if (i % 5 === 0) await page.goto(`${house.appUrl}/flows?from=now-15m`);
      await page.waitForTimeout(2000);
    }
    await page.evaluate(watchPorts, FIRST_PORT);
    process.stdout.write(`${machine()}; Chromium ${browser.version()}\n`);

    const sent = new Map<number, number>();
    for (let i = 0; i < events; i++) {
      client.stdin!.write(`${FIRST_PORT + i}\n`);
      const [port, at] = String((await said.next()).value)
        .split(" ")
        .map(Number) as [number, number];
      sent.set(port, at);
      await page.waitForFunction((each) => each in (window as unknown as Seen).seen, port, {
        timeout: 20_000,
        polling: 50,
      });
      await page.waitForTimeout(137); // no multiple of any of the clocks on the way
    }
    const seen = await page.evaluate(() => (window as unknown as Seen).seen);
    const toPixel = [...sent].map(([port, at]) => seen[port]! - at);
    const toSocket = [...sent].flatMap(([port, at]) => (onSocket.has(port) ? [onSocket.get(port)! - at] : []));
    socket.terminate();
    const [p50, p99] = [
      toLimit("p50", quantile(toPixel, 0.5), P50_LIMIT_MS, "ms"),
      toLimit("p99", quantile(toPixel, 0.99), P99_LIMIT_MS, "ms"),
    ];
    process.stdout.write(
      `kernel event → pixel, ${toPixel.length} events: ${p50.line}; ${p99.line}\n` +
        `kernel event → collector's socket: p50 ${quantile(toSocket, 0.5).toFixed(0)} ms, p99 ${quantile(toSocket, 0.99).toFixed(0)} ms; pixel ÷ socket at p50: ${(quantile(toPixel, 0.5) / quantile(toSocket, 0.5)).toFixed(2)}\n`,
    );
    return p50.kept && p99.kept ? 0 : 1;
  } finally {
    await browser.close();
    client.kill();
  }
}

interface Seen {
  /** Port → ms since 1970 in the frame after its row was in the document. */
  seen: Record<number, number>;
}

/** In the page: notes each port from `first` on when a row shows it. */
function watchPorts(first: number): void {
  const seen: Record<number, number> = {};
  Object.assign(window, { seen });
  const known = new Set<number>();
  const look = (): void => {
    for (const cell of document.querySelectorAll('[role="grid"] [role="gridcell"]')) {
      const port = Number(/(?:^|[: ])(\d{5})$/.exec(cell.textContent ?? "")?.[1]);
      if (!(port >= first) || known.has(port)) continue;
      known.add(port);
      // The next frame is painted with the row; the one after begins when that is done.
      requestAnimationFrame(() =>
        requestAnimationFrame(() => (seen[port] = performance.timeOrigin + performance.now())),
      );
    }
  };
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
}
