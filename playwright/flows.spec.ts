import type { Page, WebSocketRoute } from "@playwright/test";
import type { Flow } from "../model/flow.ts";
import { FlowsPage } from "../model/wire/answers/flows.ts";
import { axeProblems, expect, open, test, THEMES, WIDTHS } from "./fixtures.ts";

/** The fill ends when the world starts; half an hour back from now holds most of it whatever ran before. */
const FLOWS = "/flows?from=now-30m&live=0";
const FAILED = `${FLOWS}&q=${encodeURIComponent("src:storefront/cart dst:data/db")}`;

function rows(page: Page) {
  return page.getByRole("grid", { name: "Flows, newest first" }).getByRole("row");
}

/** The newest rows of the last half hour, as the page gets them. */
async function newest(page: Page, q = ""): Promise<readonly Flow[]> {
  const response = await page.request.get(`/api/flows?from=now-30m&to=now&limit=50&q=${encodeURIComponent(q)}`);
  return FlowsPage.parse(await response.json()).flows;
}

test("a filter narrows the rows to those of the store", async ({ page }) => {
  await open(page, FLOWS);
  await expect(rows(page).nth(1)).toBeVisible();
  const field = page.getByRole("combobox", { name: "Filter" });
  await field.fill("src:storefront/cart dst:data/db");
  await field.press("Enter");
  await expect(page).toHaveURL(/q=src/);
  await expect(rows(page).filter({ hasText: "catalog" })).toHaveCount(0);
  await expect(rows(page).filter({ hasText: "timed out" }).first()).toBeVisible();
  const stored = await newest(page, "src:storefront/cart dst:data/db");
  expect(new Set(stored.map((flow) => flow.destination.workload))).toEqual(new Set(["db"]));
});

test("columns are chosen in a menu and stand in the URL", async ({ page }) => {
  await open(page, FLOWS);
  const grid = page.getByRole("grid", { name: "Flows, newest first" });
  await expect(grid.getByRole("columnheader", { name: "Process" })).toHaveCount(0);
  await page.getByRole("button", { name: /of \d+ columns/ }).click();
  await page.getByRole("menuitemcheckbox", { name: "Process" }).click();
  await page.getByRole("menuitemcheckbox", { name: "RTT" }).click();
  await page.keyboard.press("Escape");
  await expect(grid.getByRole("columnheader", { name: "Process" })).toBeVisible();
  await expect(grid.getByRole("columnheader", { name: "RTT" })).toHaveCount(0);
  await expect(page).toHaveURL(/cols=.*process/);
});

test("a row opens the life of its connection, j and k walk on, and the link opens it again", async ({ page }) => {
  await open(page, FAILED);
  await rows(page).filter({ hasText: "timed out" }).first().click();
  const panel = page.getByRole("complementary", { name: "Connection" });
  await expect(panel.getByRole("heading", { level: 2 })).toHaveText("cart → db");
  await expect(panel.getByRole("listitem").filter({ hasText: "packets were dropped" })).toContainText("NETFILTER_DROP");
  await expect(panel.getByRole("listitem").filter({ hasText: "Failed" })).toContainText("ETIMEDOUT");
  await expect(panel).toContainText("10.1.");
  const link = page.url();
  await page.keyboard.press("k");
  await page.keyboard.press("j");
  await page.keyboard.press("Escape");
  await expect(panel).toBeHidden();
  // The same row where it is not in the list: another filter.
  const elsewhere = new URL(link);
  elsewhere.searchParams.set("q", "dst:data/cache");
  await open(page, elsewhere.pathname + elsewhere.search);
  await expect(panel.getByRole("heading", { level: 2 })).toHaveText("cart → db");
  await expect(panel).toContainText("not in this list");
  await expect(panel.getByRole("link", { name: "On the map" })).toHaveAttribute("href", /\/map\?.*sel=/);
  await open(page, `${FLOWS}&row=nothing@1700000000000`);
  await expect(page.getByText("The row that this link names is not in the store")).toBeVisible();
});

test("older rows are read when the end comes into view", async ({ page }) => {
  await open(page, FLOWS);
  const grid = page.getByRole("grid", { name: "Flows, newest first" });
  const count = async (): Promise<number> => Number(await grid.getAttribute("aria-rowcount"));
  await expect.poll(count).toBeGreaterThan(50);
  const first = await count();
  await grid.focus();
  await page.keyboard.press("End");
  await expect.poll(count).toBeGreaterThan(first);
});

test("live rows come on top; paused, they are counted and wait", async ({ page }) => {
  const [model] = await newest(page);
  const sockets: WebSocketRoute[] = [];
  const subscribed: string[] = [];
  // The far end of the stream is the collector's, tested with it; here the page's half of the protocol.
  await page.routeWebSocket("**/ws", (socket) => {
    sockets.push(socket);
    socket.onMessage((text) => {
      const message = JSON.parse(String(text)) as { type: string; id: string };
      if (message.type === "subscribe") subscribed.push(message.id);
    });
  });
  let sent = 0;
  const send = (workload: string): void => {
    const flow = {
      ...model!,
      rowId: `test/live/${sent++}`,
      time: `${new Date().toISOString().slice(0, 23)}000000Z`,
      source: { ...model!.source, workload, port: 40_000 + sent },
    };
    for (const socket of sockets)
      for (const id of subscribed) socket.send(JSON.stringify({ type: "flows", id, flows: [flow], missed: 0 }));
  };
  await open(page, "/flows?from=now-30m");
  await expect.poll(() => subscribed.length).toBeGreaterThan(0);
  send("just-now");
  await expect(rows(page).nth(1)).toContainText("just-now");
  await page.getByRole("button", { name: "Live; pause" }).click();
  await expect(page).toHaveURL(/live=0/);
  send("while-paused");
  send("while-paused");
  await expect(page.getByRole("button", { name: /Resume, 2 new/ })).toBeVisible();
  await expect(rows(page).filter({ hasText: "while-paused" })).toHaveCount(0);
  await page.getByRole("button", { name: /Resume/ }).click();
  await expect(page.getByRole("button", { name: "Live; pause" })).toBeVisible();
  send("after-all");
  await expect(rows(page).nth(1)).toContainText("after-all");
});

test("nothing in the range and nothing through the filter are told apart", async ({ page }) => {
  await open(page, "/flows?from=now-3d&to=now-2d&live=0");
  await expect(page.getByText("Nothing was observed in this range")).toBeVisible();
  await open(page, `${FLOWS}&q=port:1`);
  await expect(page.getByText("Nothing matches the filter")).toBeVisible();
});

test("axe finds nothing on the page and its panel; pictures at three widths", async ({ page, violations }, info) => {
  test.setTimeout(240_000);
  for (const theme of THEMES) {
    for (const width of WIDTHS) {
      await open(page, FAILED, { theme, width });
      await rows(page).filter({ hasText: "timed out" }).first().click();
      await expect(page.getByRole("complementary", { name: "Connection" })).toContainText("Failed");
      expect(await axeProblems(page), `${theme} ${width}`).toEqual([]);
      await info.attach(`flows-${theme}-${width}`, { body: await page.screenshot(), contentType: "image/png" });
    }
  }
  expect(violations).toEqual([]);
});
