import type { Page } from "@playwright/test";
import { axeProblems, expect, open, test, THEMES } from "./fixtures.ts";

/** The fill ends when the world starts; half an hour back from now holds most of it whatever ran before. */
const DROPS = "/drops?from=now-30m&live=0";

/** The row of a table that names all of `words`. */
function row(page: Page, table: string, ...words: readonly string[]) {
  return words.reduce(
    (rows, word) => rows.filter({ hasText: word }),
    page.getByRole("grid", { name: table }).getByRole("row"),
  );
}

/** Middle of the tallest bar of the chart, in pixels of the page. */
async function tallestBar(page: Page): Promise<{ readonly x: number; readonly y: number }> {
  const chart = page.getByRole("group", { name: "Dropped packets by reason" });
  await expect(chart.locator("path[data-color]").first()).toBeVisible();
  return chart.evaluate((svg) => {
    const bars = new Map<number, { x: number; top: number }>();
    for (const path of svg.querySelectorAll<SVGPathElement>("path[data-color]")) {
      const box = path.ownerSVGElement!.getBoundingClientRect();
      const shift = path.getCTM()!.e;
      for (const [, left, , top, right] of path.getAttribute("d")!.matchAll(/M([\d.]+) ([\d.]+)V([\d.]+)H([\d.]+)/g)) {
        const x = box.left + shift + (Number(left) + Number(right)) / 2;
        const y = box.top + Number(top);
        const known = bars.get(Math.round(x));
        if (known === undefined || y < known.top) bars.set(Math.round(x), { x, top: y });
      }
    }
    const tallest = [...bars.values()].toSorted((a, b) => a.top - b.top)[0]!;
    return { x: tallest.x, y: tallest.top + 5 };
  });
}

test("a spike is drilled to its cause in three clicks, and Back undoes each", async ({ page }) => {
  await open(page, DROPS);
  const bar = await tallestBar(page);
  await page.mouse.move(bar.x, bar.y);
  await page.mouse.click(bar.x, bar.y); // 1: the bar
  await expect(page).toHaveURL(/from=\d{4}-/);
  const reasons = page.getByRole("complementary", { name: "Narrow down" });
  await expect(reasons.getByRole("button", { name: /^NETFILTER_DROP/ })).toBeVisible();
  await reasons.getByRole("button", { name: /^NETFILTER_DROP/ }).click(); // 2: the reason
  await expect(page).toHaveURL(/q=reason(:|%3A)NETFILTER_DROP/);
  const panel = page.getByRole("complementary", { name: "Drop reason" });
  await expect(panel.getByRole("heading", { name: "Dropped by a firewall rule" })).toBeVisible();
  await panel.getByRole("button", { name: /cart.*db/ }).click(); // 3: the cause
  const cause = page.getByRole("complementary", { name: "Cause of drops" });
  await expect(cause).toContainText("nft_do_chain");
  await expect(cause).toContainText("not the rule");
  await expect(cause.getByRole("link", { name: "Open this flow" })).toHaveAttribute("href", /\/flows\?.*row=/);
  await expect(cause.getByRole("link", { name: "Show on map" })).toHaveAttribute("href", /\/map\?.*sel=/);
  await page.goBack();
  await expect(panel).toBeVisible();
});

test("a failed connection is explained by the drops on the same connection", async ({ page }) => {
  await open(page, DROPS);
  await row(page, "Failed connections", "ETIMEDOUT", "cart").click();
  const panel = page.getByRole("complementary", { name: "Failed connections" });
  await expect(panel.getByRole("heading", { level: 2 })).toHaveText("Timed out: dropped by a firewall rule");
  await expect(panel).toContainText("Drops on the same connections");
  await expect(panel).toContainText("because");
  await expect(panel.getByRole("heading", { name: "Example" })).toBeVisible();
  await expect(panel).toContainText(/failed after 6\.00 s: ETIMEDOUT/);
  await expect(panel).toContainText(/6 packets dropped on node-\w: NETFILTER_DROP at nft_do_chain/);
  await panel.getByRole("button", { name: /^NETFILTER_DROP at nft_do_chain/ }).click();
  await expect(page.getByRole("complementary", { name: "Cause of drops" })).toBeVisible();
});

test("a refused connection names what is missing, not a firewall", async ({ page }) => {
  await open(page, DROPS);
  await row(page, "Failed connections", "ECONNREFUSED", "payments").click();
  const panel = page.getByRole("complementary", { name: "Failed connections" });
  await expect(panel.getByRole("heading", { level: 2 })).toHaveText("Refused: nothing listens on 8443");
});

test("commands hold the flow's own port and can be copied", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await open(page, DROPS);
  await row(page, "Causes of drops", "NO_SOCKET", "payments").click();
  const panel = page.getByRole("complementary", { name: "Cause of drops" });
  const command = panel.getByRole("listitem").filter({ hasText: "8443" }).locator("code").first();
  const text = await command.textContent();
  await panel.getByRole("listitem").filter({ hasText: "8443" }).getByRole("button", { name: "Copy" }).first().click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(text);
});

test("a facet puts its value into the filter and takes it out; other values of it stay in sight", async ({ page }) => {
  await open(page, DROPS);
  const facets = page.getByRole("complementary", { name: "Narrow down" });
  const source = facets.getByRole("button", { name: /^storefront\/cart/ });
  await source.click();
  await expect(page).toHaveURL(/q=src(:|%3A)storefront/);
  await expect(source).toHaveAttribute("aria-pressed", "true");
  await expect(facets.getByRole("button", { name: /^storefront\/web/ })).toBeVisible();
  await expect(row(page, "Causes of drops", "catalog")).toHaveCount(0);
  await source.click();
  await expect(page).not.toHaveURL(/q=/);
  await expect(row(page, "Causes of drops", "QDISC_DROP")).toHaveCount(1);
});

test("the keyboard walks on with the panel open, and Esc closes it", async ({ page }) => {
  await open(page, DROPS);
  await row(page, "Causes of drops", "QDISC_DROP").click();
  const panel = page.getByRole("complementary", { name: "Cause of drops" });
  const first = await panel.getByRole("heading", { level: 2 }).textContent();
  await page.keyboard.press("j");
  await expect(panel.getByRole("heading", { level: 2 })).not.toHaveText(first!);
  await page.keyboard.press("k");
  await expect(panel.getByRole("heading", { level: 2 })).toHaveText(first!);
  await page.keyboard.press("Escape");
  await expect(panel).toBeHidden();
  await expect(page).not.toHaveURL(/sel=/);
});

test("nothing observed and filtered out are told apart, each with a way on", async ({ page }) => {
  await open(page, "/drops?from=now-3d&to=now-2d&live=0");
  await expect(page.getByText("Nothing was observed in this range")).toBeVisible();
  await expect(page.getByRole("button", { name: "Show the last hour" })).toBeVisible();
  await open(page, `${DROPS}&q=port:1`);
  await expect(page.getByText("Nothing matches the filter")).toBeVisible();
  await page.getByRole("button", { name: "Clear the filter" }).click();
  await expect(row(page, "Causes of drops", "NETFILTER_DROP")).toHaveCount(1);
});

test("the page and its panels have no finding of axe and break no policy, wide and narrow", async ({
  page,
  violations,
}) => {
  test.setTimeout(180_000);
  for (const theme of THEMES) {
    for (const width of [1440, 390]) {
      await open(page, DROPS, { theme, width });
      await expect(row(page, "Causes of drops", "NETFILTER_DROP")).toHaveCount(1);
      expect(await axeProblems(page), `${theme} ${width}`).toEqual([]);
      await row(page, "Causes of drops", "NETFILTER_DROP").click();
      await expect(page.getByRole("heading", { name: "Example" })).toBeVisible();
      expect(await axeProblems(page), `${theme} ${width}, panel of a cause`).toEqual([]);
    }
  }
  expect(violations).toEqual([]);
});
