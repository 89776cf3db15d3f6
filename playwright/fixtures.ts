import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { AxeBuilder } from "@axe-core/playwright";
import { expect, test as base, type Page } from "@playwright/test";

/** A running Weir; `url` without a slash at the end. */
export interface World {
  readonly url: string;
}

/** A world of a test's own. `tell` resolves when the message was obeyed (playwright/serve-world.ts). */
export interface OwnWorld extends World {
  tell(message: "stop store" | "start store"): Promise<void>;
  stop(): Promise<void>;
}

const SERVE_WORLD = fileURLToPath(new URL("serve-world.ts", import.meta.url));

/** Starts `playwright/serve-world.ts` and waits for its line. Its own words come with the failure. */
export async function startWorld(args: readonly string[] = []): Promise<OwnWorld> {
  const child = fork(SERVE_WORLD, [...args], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    execArgv: ["--disable-warning=ExperimentalWarning"],
  });
  const said: string[] = [];
  child.stderr!.setEncoding("utf8").on("data", (text: string) => said.push(text));
  for await (const line of createInterface({ input: child.stdout! })) {
    if (!line.startsWith("{")) continue;
    const { url } = JSON.parse(line) as World;
    const tell = async (message: string): Promise<void> => {
      const done = once(child, "message");
      child.send(message);
      await done;
    };
    return { url, tell, stop: () => stop(child) };
  }
  throw new Error(`the world did not start:\n${said.join("")}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await gone;
}

interface Fixtures {
  /** What broke the content security policy on the page; must stay empty. */
  readonly violations: string[];
}

interface WorkerFixtures {
  readonly world: World;
}

/** Tests of a filled store; a page's `baseURL` is its app. */
export const test = base.extend<Fixtures, WorkerFixtures>({
  world: [
    async ({ browserName: _browserName }, give) => {
      const given = process.env["WEIR_TEST_URL"];
      if (given !== undefined && given !== "") return give({ url: given.replace(/\/$/, "") });
      const world = await startWorld();
      await give(world);
      await world.stop();
    },
    { scope: "worker", timeout: 240_000 },
  ],
  baseURL: async ({ world }, give) => give(world.url),
  violations: async ({ page }, give) => {
    const violations: string[] = [];
    page.on("console", (message) => {
      if (/content security policy/i.test(message.text())) violations.push(message.text());
    });
    await give(violations);
  },
});
export { expect };

export const PAGES = ["/map", "/drops", "/policies", "/flows", "/health"] as const;
export const THEMES = ["dark", "light"] as const;
export const WIDTHS = [1440, 1024, 390] as const;

/** Opens `path` in a theme and at a width, and waits until the frame knows the books of the range. */
export async function open(
  page: Page,
  path: string,
  look: { readonly theme?: (typeof THEMES)[number]; readonly width?: number } = {},
): Promise<void> {
  const { theme, width } = look;
  if (width !== undefined) await page.setViewportSize({ width, height: width < 500 ? 844 : 900 });
  await page.goto(path);
  if (theme !== undefined) {
    await page.context().addCookies([{ name: "weir-theme", value: theme, url: page.url() }]);
    await page.reload();
  }
  await expect(page.getByRole("contentinfo", { name: "Status" })).not.toContainText("Reading");
}

/** What axe finds against WCAG 2.2 A and AA, as readable lines. */
export async function axeProblems(page: Page): Promise<readonly string[]> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"])
    .analyze();
  return violations.flatMap((violation) =>
    violation.nodes.map(
      (node) => `${violation.id}: ${violation.help}: ${node.target.join(" ")} ${node.failureSummary ?? ""}`,
    ),
  );
}
