/**
 * How it feels to type a policy: `node bench/editor.ts --url http://127.0.0.1:7070 [--tuples 100000] [--keys 80] [--seed 1]
 * [--type comment|port]`. A running
 * app serves the page; the traffic is made up here and put in the place of `/api/tuples`. Chromium types one key after the other,
 * each 120 ms after the last. Prints, with p50 and p95: key to paint (the letter is on the screen), key to answer (numbers, map and
 * table are of the text with that letter; a newer key may overtake an older), and tasks over 50 ms on the main thread. A letter of a
 * comment changes no verdict; `--type port` adds a digit to a port and takes it away again, so that every key judges all anew. Times
 * are by the clock: on a machine that others use, too, the CPU time of the longest task says more, so it is printed beside them.
 */
import { parseArgs } from "node:util";
import { cpus, loadavg } from "node:os";
import { chromium, type Page } from "@playwright/test";
import { BENCH_POLICY, madeUpTraffic } from "./editor-traffic.ts";

const { values } = parseArgs({
  options: {
    url: { type: "string" },
    tuples: { type: "string", default: "100000" },
    keys: { type: "string", default: "80" },
    seed: { type: "string", default: "1" },
    type: { type: "string", default: "comment" },
  },
});
if (values.url === undefined) throw new Error("--url of a running app is needed: `weir serve` prints it");
const byPort = values.type === "port";
const body = JSON.stringify(madeUpTraffic(Number(values.tuples), Number(values.seed)));
const browser = await chromium.launch({
  executablePath: process.env["WEIR_CHROMIUM"] ?? "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu"],
});
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
await page.route("**/api/tuples*", (route) => route.fulfill({ contentType: "application/json", body }));
await page.addInitScript(
  (text) => {
    const file = { id: "f1", name: "front.yaml", text, open: true };
    localStorage.setItem("weir-policy-drafts", JSON.stringify({ files: [file], active: "f1" }));
  },
  byPort ? BENCH_POLICY.replace("port: 8001", "port: 800") : BENCH_POLICY,
);
await page.goto(`${values.url}/policies?from=now-1h&live=0`);
await page.getByRole("grid", { name: "Flows" }).waitFor({ timeout: 120_000 });
await page.locator(".cm-content").click();
await page.keyboard.press(byPort ? "Control+Home" : "Control+End");
if (byPort) {
  const line = BENCH_POLICY.split("\n").findIndex((text) => text.includes("port: 8001"));
  for (let down = 0; down < line; down++) await page.keyboard.press("ArrowDown");
  await page.keyboard.press("End");
}
const tracing = await startTracing(page);
await page.evaluate(() => {
  const impact = document.querySelector("[data-at]")!;
  const measured = { paints: [] as number[], answers: [] as number[], long: [] as number[], waiting: [] as number[] };
  Object.assign(window, { measured });
  addEventListener(
    "keydown",
    () => {
      const at = performance.now();
      measured.waiting.push(at);
      // The frame after the next is the first that was painted with the letter.
      requestAnimationFrame(() => requestAnimationFrame(() => measured.paints.push(performance.now() - at)));
    },
    { capture: true },
  );
  new MutationObserver(() => {
    if (impact.getAttribute("data-busy") === "true") return; // of a text that was typed on meanwhile
    const at = performance.now();
    for (const key of measured.waiting.splice(0)) measured.answers.push(at - key);
  }).observe(impact, { attributes: true, attributeFilter: ["data-at", "data-busy"] });
  new PerformanceObserver((list) => {
    for (const task of list.getEntries()) measured.long.push(task.duration);
  }).observe({ type: "longtask" });
});
const typed = "# a note that is long enough to type for a while, as one does when writing down why a rule is there\n";
for (let key = 0; key < Number(values.keys); key++)
  await page.keyboard
    .press(byPort ? (key % 2 === 0 ? "1" : "Backspace") : letter(typed[key % typed.length]!), { delay: 0 })
    .then(() => page.waitForTimeout(120));
await page.waitForFunction(
  () => (window as unknown as { measured: { waiting: number[] } }).measured.waiting.length === 0,
  undefined,
  { timeout: 30_000 },
);
const measured = await page.evaluate(
  () => (window as unknown as { measured: { paints: number[]; answers: number[]; long: number[] } }).measured,
);
const longest = await tracing.longest();
await browser.close();

const line = (name: string, list: readonly number[], limit: number): string => {
  const sorted = list.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return `${name.padEnd(16)} n ${String(list.length).padStart(4)}  p50 ${at(0.5).toFixed(0).padStart(5)} ms  p95 ${at(0.95).toFixed(0).padStart(5)} ms  p95 to the limit of ${limit} ms: ${(at(0.95) / limit).toFixed(2)}`;
};
const out = [
  `${values.tuples} tuples, ${values.keys} keys; ${cpus().length} × ${cpus()[0]?.model.trim() ?? "CPU"}, load ${loadavg()[0]!.toFixed(1)}`,
  line("key to paint", measured.paints, 50),
  line("key to answer", measured.answers, 150),
  line("tasks > 50 ms", measured.long, 50),
  `longest tasks of the page's main thread, CPU time: ${longest.map((ms) => ms.toFixed(0)).join(", ")} ms`,
];
process.stdout.write(`${out.join("\n")}\n`);

function letter(key: string): string {
  return key === "\n" ? "Enter" : key;
}

/** CPU time of the main thread's tasks from now on: Chromium's own trace, the thread that lays out the page. */
async function startTracing(of: Page): Promise<{ longest(): Promise<readonly number[]> }> {
  interface TraceEvent {
    readonly ph: string;
    readonly name: string;
    readonly pid: number;
    readonly tid: number;
    /** Microseconds of CPU. */
    readonly tdur?: number;
  }
  const session = await of.context().newCDPSession(of);
  const events: TraceEvent[] = [];
  session.on("Tracing.dataCollected", ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  await session.send("Tracing.start", {
    transferMode: "ReportEvents",
    traceConfig: { includedCategories: ["devtools.timeline", "toplevel"] },
  });
  return {
    async longest() {
      const done = new Promise((resolve) => session.once("Tracing.tracingComplete", resolve));
      await session.send("Tracing.end");
      await done;
      const layouts = new Map<string, number>();
      for (const { name, pid, tid } of events)
        if (name === "UpdateLayoutTree") layouts.set(`${pid} ${tid}`, (layouts.get(`${pid} ${tid}`) ?? 0) + 1);
      const main = [...layouts].toSorted((a, b) => b[1] - a[1])[0]?.[0];
      return events
        .filter(({ ph, name, pid, tid }) => ph === "X" && name.endsWith("RunTask") && `${pid} ${tid}` === main)
        .map(({ tdur }) => (tdur ?? 0) / 1000)
        .toSorted((a, b) => b - a)
        .slice(0, 5);
    },
  };
}
