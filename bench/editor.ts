/**
 * How it feels to type a policy: `node bench/editor.ts --url http://127.0.0.1:7070 [--tuples 100000] [--keys 80] [--seed 1]`. A running
 * app serves the page; the traffic is made up here and put in the place of `/api/tuples`. Chromium types one key after the other,
 * each 120 ms after the last. Prints, with p50 and p95: key to paint (the letter is on the screen), key to answer (numbers, map and
 * table are of the text with that letter; a newer key may overtake an older), and tasks over 50 ms on the main thread.
 */
import { parseArgs } from "node:util";
import { cpus, loadavg } from "node:os";
import { chromium } from "@playwright/test";
import { BENCH_POLICY, madeUpTraffic } from "./editor-traffic.ts";

const { values } = parseArgs({
  options: {
    url: { type: "string" },
    tuples: { type: "string", default: "100000" },
    keys: { type: "string", default: "80" },
    seed: { type: "string", default: "1" },
  },
});
if (values.url === undefined) throw new Error("--url of a running app is needed: `weir serve` prints it");
const body = JSON.stringify(madeUpTraffic(Number(values.tuples), Number(values.seed)));
const browser = await chromium.launch({
  executablePath: process.env["WEIR_CHROMIUM"] ?? "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu"],
});
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
await page.route("**/api/tuples*", (route) => route.fulfill({ contentType: "application/json", body }));
await page.addInitScript((text) => {
  const file = { id: "f1", name: "front.yaml", text, open: true };
  localStorage.setItem("weir-policy-drafts", JSON.stringify({ files: [file], active: "f1" }));
}, BENCH_POLICY);
await page.goto(`${values.url}/policies?from=now-1h&live=0`);
await page.getByRole("grid", { name: "Flows" }).waitFor({ timeout: 120_000 });
await page.locator(".cm-content").click();
await page.keyboard.press("Control+End");
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
// A comment is typed: the whole text is parsed and judged anew at each letter all the same.
const typed = "# a note that is long enough to type for a while, as one does when writing down why a rule is there\n";
for (let key = 0; key < Number(values.keys); key++)
  await page.keyboard
    .press(typed[key % typed.length] === "\n" ? "Enter" : typed[key % typed.length]!, { delay: 0 })
    .then(() => page.waitForTimeout(120));
await page.waitForFunction(
  () => (window as unknown as { measured: { waiting: number[] } }).measured.waiting.length === 0,
  undefined,
  { timeout: 30_000 },
);
const measured = await page.evaluate(
  () => (window as unknown as { measured: { paints: number[]; answers: number[]; long: number[] } }).measured,
);
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
];
process.stdout.write(`${out.join("\n")}\n`);
