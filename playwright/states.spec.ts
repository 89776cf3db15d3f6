import { axeProblems, expect, startWorld, test, type World } from "./fixtures.ts";

/** Runs `check` against a world of its own, and ends that. */
async function inWorld(args: readonly string[], check: (world: World) => Promise<void>): Promise<void> {
  const world = await startWorld(args);
  try {
    await check(world);
  } finally {
    await world.stop();
  }
}

test("with an empty store and no collector the page says which link is broken, three ways on, and what was checked", async ({
  page,
  violations,
}) => {
  test.setTimeout(240_000);
  await inWorld(["--rows", "0"], async ({ url }) => {
    await page.goto(`${url}/map`);
    await expect(page.getByRole("heading", { name: "No collector is sending to this store" })).toBeVisible();
    await expect(page.getByRole("listitem").filter({ hasText: "Collector" })).toContainText("not running");
    await expect(page.getByRole("listitem").filter({ hasText: "Store" })).toContainText("reachable, 0 rows");
    await expect(page.getByText("sudo ./bin/weir collect", { exact: true })).toBeVisible();
    await expect(page.getByRole("region", { name: "What was checked" })).toContainText("schema");
    await expect(page.getByRole("contentinfo")).toContainText("No collector");
    expect(await axeProblems(page)).toEqual([]);
    expect(violations).toEqual([]);
  });
});

test("while the store does not answer the page says where it was looked for and how to start it", async ({ page }) => {
  test.setTimeout(240_000);
  await inWorld(["--rows", "0", "--without-store"], async ({ url }) => {
    await page.goto(`${url}/flows`);
    await expect(page.getByRole("heading", { name: "The store does not answer" })).toBeVisible();
    await expect(page.getByText("./bin/weir store serve", { exact: true })).toBeVisible();
    await expect(page.getByRole("contentinfo")).toContainText("Store unreachable");
    await page.getByRole("link", { name: "Health", exact: true }).click();
    await expect(page.getByText(/The store does not answer at/)).toBeVisible();
  });
});
