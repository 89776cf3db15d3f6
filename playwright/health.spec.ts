import { axeProblems, expect as expectSoon, startWorld, test, THEMES, WIDTHS } from "./fixtures.ts";

/** Health is written every 10 s, sealed 5 s later and asked for again after that; a busy machine takes its time. */
const expect = expectSoon.configure({ timeout: 60_000 });

test("the Health page tells trouble while it lasts, what to do about it, and that it is over", async ({ page }) => {
  test.setTimeout(420_000);
  const world = await startWorld(["--rows", "0", "--collector"]);
  try {
    const attention = page.getByRole("list", { name: "What needs a look" });
    const measure = (name: string) => page.locator("dl > div").filter({ has: page.getByText(name, { exact: true }) });
    await page.goto(`${world.url}/health`);
    await expect(attention).toContainText("A recorded sample plays: this is not this machine's traffic.");
    await expect(measure("Rows")).toContainText(/[1-9][\d,]* in the store/);
    await expect(page.getByRole("region", { name: "Collectors over time" })).toContainText("measured every 10 s");
    await expect(page.getByRole("region", { name: "Versions" })).toContainText(/Schema\s*\d+/);

    await world.tell("stop store");
    await expect(attention).toContainText(/The store does not answer at http.*nothing listens there/);
    await expect(attention).toContainText("The collector can't insert into the store");
    await expect(attention).toContainText(/segments \([\d.]+ [kM]?B\) wait on disk and are not lost/);
    await expect(measure("Spool")).toContainText(/[1-9]\d* segments[\s\S]*of 2\.15 GB, oldest/);
    await expect(measure("Insert lag")).toContainText(/[1-9]\d* failed/);
    await expect(page.getByRole("region", { name: "Versions" })).toContainText("does not answer");
    await expect(page.getByRole("contentinfo")).toContainText("Store unreachable");
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    }
    for (const theme of THEMES) {
      await page.context().addCookies([{ name: "weir-theme", value: theme, url: page.url() }]);
      await page.reload();
      await expect(attention).toContainText("The store does not answer");
      expect(await axeProblems(page)).toEqual([]);
    }

    await world.tell("start store");
    await expect(attention).not.toContainText("The store does not answer");
    // The collector's next try may be half a minute away.
    await expect(attention).not.toContainText("can't insert");
  } finally {
    await world.stop();
  }
});
