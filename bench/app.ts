/**
 * What a page costs the one who opens it: node bench/app.ts [--runs 5] [--rows 60000]. The built app on a filled store (playwright/serve-world.ts),
 * Chromium without a GPU, a cold cache each run. Over the wire: bytes of all answers and of script alone, as Chromium counted them
 * (compressed). LCP: the browser's own. Interaction: the longest of each page's clicks and keys, from the input to the next paint
 * (Event Timing). Limits: ui.md, "Budgets".
 */
import { parseArgs } from "node:util";
import { chromium, type Browser, type Page } from "@playwright/test";
import { PAGES, startWorld } from "../playwright/fixtures.ts";
import { CHROMIUM, machine, quantile, toLimit } from "./house.ts";

const SCRIPT_LIMIT_KB = 250;
const LCP_LIMIT_MS = 1500;
const INP_LIMIT_MS = 200;

interface Visit {
  readonly wire: number;
  readonly script: number;
  readonly lcpMs: number;
  readonly inputMs: number;
}

const { values } = parseArgs({
  options: { runs: { type: "string", default: "5" }, rows: { type: "string", default: "60000" } },
});
const world = await startWorld(["--rows", values.rows]);
const browser = await chromium.launch(CHROMIUM);
let isKept = true;
try {
  say(`${machine()}; Chromium ${browser.version()}; medians of ${values.runs} visits with an empty cache`);
  say(
    `${"page".padEnd(10)} ${"wire kB".padStart(8)} ${"script kB".padStart(9)} ${"÷ 250".padStart(6)} ${"LCP ms".padStart(7)} ${"÷ 1500".padStart(6)} ${"input ms".padStart(8)} ${"÷ 200".padStart(6)}`,
  );
  for (const path of PAGES) {
    const visits: Visit[] = [];
    for (let run = 0; run < Number(values.runs); run++) visits.push(await visit(browser, `${world.url}${path}`));
    const of = (pick: (each: Visit) => number): number => quantile(visits.map(pick), 0.5);
    const [wire, script, lcp, input] = [
      of((each) => each.wire) / 1000,
      of((each) => each.script) / 1000,
      of((each) => each.lcpMs),
      of((each) => each.inputMs),
    ];
    const all = [
      toLimit("", script, SCRIPT_LIMIT_KB, "kB"),
      toLimit("", lcp, LCP_LIMIT_MS, "ms"),
      toLimit("", input, INP_LIMIT_MS, "ms"),
    ];
    isKept &&= all.every((each) => each.kept);
    const ratio = (value: number, limit: number): string => (value / limit).toFixed(2).padStart(6);
    say(
      `${path.padEnd(10)} ${wire.toFixed(0).padStart(8)} ${script.toFixed(0).padStart(9)} ${ratio(script, SCRIPT_LIMIT_KB)} ${lcp.toFixed(0).padStart(7)} ${ratio(lcp, LCP_LIMIT_MS)} ${input.toFixed(0).padStart(8)} ${ratio(input, INP_LIMIT_MS)}`,
    );
  }
  say(isKept ? "the limits are kept" : "a limit is missed");
} finally {
  await browser.close();
  await world.stop();
}
process.exitCode = isKept ? 0 : 1;

async function visit(from: Browser, url: string): Promise<Visit> {
  const context = await from.newContext({ viewport: { width: 1440, height: 900 } });
  try {
    const page = await context.newPage();
    const sizes = await countBytes(page);
    await page.addInitScript(measureInput);
    await page.goto(url);
    await page.waitForLoadState("networkidle").catch(() => undefined); // a live page is never idle: what came until then counts
    const { wire, script } = sizes();
    const lcpMs = await page.evaluate(lastPaint);
    await handle(page);
    const inputMs = await page.evaluate(() => Math.max(0, ...(window as unknown as { inputs: number[] }).inputs));
    return { wire, script, lcpMs, inputMs };
  } finally {
    await context.close();
  }
}

/** Bytes over the wire until it is asked, of everything and of scripts. */
async function countBytes(page: Page): Promise<() => { readonly wire: number; readonly script: number }> {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  const scripts = new Set<string>();
  let [wire, script] = [0, 0];
  session.on("Network.responseReceived", ({ requestId, type }) => {
    if (type === "Script") scripts.add(requestId);
  });
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    wire += encodedDataLength;
    if (scripts.has(requestId)) script += encodedDataLength;
  });
  return () => ({ wire, script });
}

/** What a person does on any page: palette, help, a menu, a filter; each with its way back. */
async function handle(page: Page): Promise<void> {
  const press = async (key: string): Promise<void> => {
    await page.keyboard.press(key);
    await page.waitForTimeout(250);
  };
  await page.getByRole("main").click({ position: { x: 300, y: 20 } });
  await press("Control+k");
  await page.keyboard.type("drop");
  await press("Escape");
  await press("?");
  await press("Escape");
  await press("/");
  await page.keyboard.type("verdict:dropped");
  await press("Enter");
  await press("Escape");
  await page.getByRole("link", { name: "Flows" }).first().click();
  await page.waitForTimeout(500);
}

/** In the page: the time of the largest contentful paint so far, ms after navigation began. */
function lastPaint(): Promise<number> {
  return new Promise((resolve) => {
    new PerformanceObserver((list, observer) => {
      observer.disconnect();
      resolve(list.getEntries().at(-1)!.startTime);
    }).observe({ type: "largest-contentful-paint", buffered: true });
  });
}

/** In the page: durations of all inputs, from the input to the next paint; those of less than 16 ms are not told by the browser. */
function measureInput(): void {
  const inputs: number[] = [];
  Object.assign(window, { inputs });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries())
      if ((entry as PerformanceEntry & { interactionId?: number }).interactionId !== 0) inputs.push(entry.duration);
  }).observe({ type: "event", buffered: true, durationThreshold: 16 } as PerformanceObserverInit);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
