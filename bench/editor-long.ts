/**
 * Whether texts of megabytes keep the Policies page waiting: `node bench/editor-long.ts --url http://127.0.0.1:7070`. A running app
 * serves the page. Pastes through the real clipboard, types, takes back, changes tabs and opens files, and prints for each step the
 * longest task of the page's main thread: CPU time from Chromium's own trace, to the limit of 50 ms, and by the clock, which on a
 * machine that others use says little.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chromium, type Page } from "@playwright/test";

const { values } = parseArgs({ options: { url: { type: "string" } } });
if (values.url === undefined) throw new Error("--url of a running app is needed: `weir serve` prints it");
const LIMIT_MS = 50;
const LINE = "# a long note\n";
const POLICY =
  "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a, namespace: shop}\nspec: {podSelector: {}}\n";
const TEXTS = {
  "11 MB": LINE.repeat(800_000),
  "9.9 MB": LINE.repeat(707_000),
  "10,000 documents": POLICY.repeat(10_000),
  "10,001 documents": POLICY.repeat(10_001),
  "a line of 5 MB": `# ${"x".repeat(5_000_000)}`,
};
const folder = await mkdtemp(join(tmpdir(), "weir-bench-"));
const browser = await chromium.launch({
  executablePath: process.env["WEIR_CHROMIUM"] ?? "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu"],
});
const out: string[] = [];
try {
  for (const [name, text] of Object.entries(TEXTS)) await pasteAndOpen(name, text);
} finally {
  await browser.close();
  await rm(folder, { recursive: true });
}
out.push(`${cpus().length} × ${cpus()[0]?.model.trim() ?? "CPU"}, load ${loadavg()[0]!.toFixed(1)}`);
process.stdout.write(`${out.join("\n")}\n`);

async function pasteAndOpen(name: string, text: string): Promise<void> {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    permissions: ["clipboard-read", "clipboard-write"],
  });
  const page = await context.newPage();
  await page.goto(`${values.url}/policies?from=now-1h&live=0`);
  await page.getByRole("button", { name: "New file" }).click();
  await page.locator(".cm-content").click();
  await page.evaluate((it) => navigator.clipboard.writeText(it), text);
  await step(page, `${name}: paste`, () => page.keyboard.press("Control+v"));
  await step(page, `${name}: type`, () => page.keyboard.type("# abc", { delay: 100 }));
  await step(page, `${name}: undo twice`, async () => {
    await page.keyboard.press("Control+z");
    await page.keyboard.press("Control+z");
  });
  const file = join(folder, "file.yaml");
  await writeFile(file, text);
  await step(page, `${name}: open`, () => page.getByLabel("Open files: policies of this machine").setInputFiles(file));
  await step(page, `${name}: another tab`, () => page.getByRole("button", { name: "policy", exact: true }).click());
  await context.close();
}

async function step(page: Page, name: string, act: () => Promise<unknown>): Promise<void> {
  interface TraceEvent {
    readonly ph: string;
    readonly name: string;
    readonly pid: number;
    readonly tid: number;
    /** Microseconds: by the clock, and of CPU. */
    readonly dur?: number;
    readonly tdur?: number;
  }
  const session = await page.context().newCDPSession(page);
  const events: TraceEvent[] = [];
  session.on("Tracing.dataCollected", ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  const traceConfig = { includedCategories: ["devtools.timeline", "toplevel"] };
  await session.send("Tracing.start", { transferMode: "ReportEvents", traceConfig });
  await act();
  await page.waitForTimeout(3000); // told, kept, judged
  const done = new Promise((resolve) => session.once("Tracing.tracingComplete", resolve));
  await session.send("Tracing.end");
  await done;
  await session.detach();
  const layouts = Map.groupBy(
    events.filter((event) => event.name === "UpdateLayoutTree"),
    ({ pid, tid }) => `${pid} ${tid}`,
  );
  const main = [...layouts].toSorted((a, b) => b[1].length - a[1].length)[0]?.[0];
  const longest = events
    .filter((event) => event.ph === "X" && event.name.endsWith("RunTask") && `${event.pid} ${event.tid}` === main)
    .toSorted((a, b) => (b.tdur ?? 0) - (a.tdur ?? 0))[0];
  const [cpu, clock] = [(longest?.tdur ?? 0) / 1000, (longest?.dur ?? 0) / 1000];
  out.push(
    `${name.padEnd(32)} longest task ${cpu.toFixed(0).padStart(4)} ms of CPU (${(cpu / LIMIT_MS).toFixed(2)} of the limit), ${clock.toFixed(0)} ms by the clock`,
  );
}
