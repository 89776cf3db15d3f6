import { readFile } from "node:fs/promises";
import type { Locator, Page } from "@playwright/test";
import { makeWorld } from "../bench/fill-world.ts";
import { MapAnswer } from "../model/wire/answers/map.ts";
import { axeProblems, expect, open, test, THEMES, WIDTHS } from "./fixtures.ts";

/** The fill ends when the world starts; half an hour back from now holds most of it whatever ran before. */
const MAP = "/map?from=now-30m&live=0";
const CART_DB = `${MAP}&sel=${encodeURIComponent("storefront/cart → data/db")}`;
const OWN_WORLD = (process.env["WEIR_TEST_URL"] ?? "") === "";

function canvas(page: Page): Locator {
  return page.getByRole("application", { name: /^Service map/ });
}

/** Opens the map and gives the answer that it was drawn from. */
async function openMap(page: Page, path = MAP, look: Parameters<typeof open>[2] = {}): Promise<MapAnswer> {
  const answers: Promise<unknown>[] = [];
  const keep = (response: { url(): string; json(): Promise<unknown> }): void => {
    if (response.url().includes("/api/map?")) answers.push(response.json().catch(() => undefined));
  };
  page.on("response", keep);
  await open(page, path, look);
  await expect(canvas(page).or(page.getByRole("grid"))).toBeVisible();
  page.off("response", keep);
  const last = (await Promise.all(answers)).filter((answer) => answer !== undefined).at(-1);
  return MapAnswer.parse(last);
}

/** `storefront/cart → data/db` of every edge of an answer. */
function edgeNames(answer: MapAnswer): string[] {
  const names = new Map(answer.nodes.map((node) => [node.id, `${node.namespace}/${node.workload}`]));
  return answer.edges.map((edge) => `${names.get(edge.source)} → ${names.get(edge.destination)}`).toSorted();
}

/** A place on the map where the tooltip has this title, found as a visitor would: by moving the pointer. */
async function placeOf(page: Page, title: string): Promise<{ readonly x: number; readonly y: number }> {
  const box = (await canvas(page).boundingBox())!;
  const tip = page.getByRole("tooltip").filter({ hasText: title });
  for (let y = 40; y < box.height - 20; y += 26) {
    for (let x = 230; x < box.width - 60; x += 11) {
      await page.mouse.move(box.x + x, box.y + y);
      if ((await tip.count()) > 0) return { x: box.x + x, y: box.y + y };
    }
  }
  throw new Error(`nothing on the map is called "${title}"`);
}

test("the map has exactly the edges of the data, and its table twin the same", async ({ page }) => {
  const answer = await openMap(page, `${MAP}&view=table`);
  const wanted = edgeNames(answer);
  if (OWN_WORLD) {
    const { links } = makeWorld(1, 0);
    const made = links.map((link) => {
      const [from, to] = [link.from, link.to];
      return `${from.namespace}/${from.workload} → ${to.namespace}/${to.workload}`;
    });
    expect(wanted).toEqual([...new Set(made)].toSorted());
  }
  await expect(page.getByRole("grid")).toHaveAttribute("aria-rowcount", String(wanted.length + 1));
  await expect(page.getByText(new RegExp(`· ${wanted.length} edges`))).toBeVisible();
});

test("a click on an edge opens its panel with the numbers of the store", async ({ page }) => {
  test.setTimeout(120_000); // the pointer has a whole map to search
  const answer = await openMap(page);
  const place = await placeOf(page, "cart → db");
  await page.mouse.click(place.x, place.y);
  await expect(page).toHaveURL(/sel=/);
  const panel = page.getByRole("complementary", { name: "Edge" });
  await expect(panel.getByRole("heading", { level: 2 })).toHaveText("cart → db");
  const ids = new Map(answer.nodes.map((node) => [`${node.namespace}/${node.workload}`, node.id]));
  const edge = answer.edges.find(
    (one) => one.source === ids.get("storefront/cart") && one.destination === ids.get("data/db"),
  )!;
  await expect(panel).toContainText(`failed, ${edge.failed} of ${edge.opened + edge.failed}`);
  await expect(panel).toContainText("timed out, no answer to SYN");
  await expect(panel).toContainText("NETFILTER_DROP");
  await expect(panel.getByRole("link", { name: "See why" })).toHaveAttribute("href", /\/drops\?.*q=/);
  await page.keyboard.press("Escape");
  await expect(panel).toBeHidden();
});

test("the keyboard zooms, pans, focuses, finds and moves what is selected", async ({ page }) => {
  await openMap(page, `${MAP}&sel=${encodeURIComponent("storefront/cart")}`);
  const zoomOut = page.getByRole("button", { name: "Zoom out" });
  const picture = (): Promise<string> =>
    canvas(page).evaluate(async (frame) => {
      const bytes = new TextEncoder().encode(frame.querySelector<HTMLCanvasElement>("canvas")!.toDataURL());
      return [...new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))].join("");
    });
  await canvas(page).focus();
  for (const key of ["+", "ArrowLeft", "-", "ArrowUp", "0", "Shift+ArrowDown"]) {
    const before = await picture();
    await page.keyboard.press(key);
    await expect.poll(picture, { message: key }).not.toBe(before);
  }
  await page.keyboard.press("f");
  await expect(page).toHaveURL(/focus=true/);
  await page.keyboard.press("Escape");
  await expect(page).not.toHaveURL(/sel=/);
  await page.keyboard.press("/");
  await expect(page.getByRole("combobox", { name: "Filter" })).toBeFocused();
  await page.getByRole("combobox", { name: "Find a workload on the map" }).fill("ledg");
  await expect(page.getByRole("option", { name: "payments/ledger" })).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("complementary", { name: "Workload" }).getByRole("heading", { level: 2 })).toHaveText(
    "ledger",
  );
  await expect(zoomOut).toBeVisible();
});

test("only trouble keeps the edges in trouble and says how many there are", async ({ page }) => {
  await openMap(page, `${MAP}&view=table`);
  const trouble = page.getByRole("switch", { name: /trouble/i });
  const many = Number((await trouble.textContent())!.match(/\d+/)![0]);
  await trouble.click();
  await expect(page).toHaveURL(/trouble=true/);
  await expect(page.getByRole("grid")).toHaveAttribute("aria-rowcount", String(many + 1));
});

test("the picture can be taken away: PNG, and SVG whose names are text", async ({ page }) => {
  const hostile = '<script>alert("x")</script>';
  await page.route("**/api/map?*", async (route) => {
    const response = await route.fetch();
    const body = await response.text();
    await route.fulfill({
      response,
      body: body.replaceAll('"workload":"cart"', `"workload":${JSON.stringify(hostile)}`),
    });
  });
  await openMap(page);
  const take = async (item: RegExp): Promise<Buffer> => {
    await page.getByRole("button", { name: "Export the map" }).click();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("menuitem", { name: item }).click(),
    ]);
    return readFile(await download.path());
  };
  const png = await take(/PNG/);
  expect(png.subarray(1, 4).toString()).toBe("PNG");
  const svg = (await take(/SVG/)).toString();
  expect(svg).not.toContain("<script");
  const texts = await page.evaluate((source) => {
    const parsed = new DOMParser().parseFromString(source, "image/svg+xml");
    return [parsed.documentElement.tagName, ...[...parsed.querySelectorAll("text")].map((text) => text.textContent)];
  }, svg);
  expect(texts).toEqual(expect.arrayContaining(["svg", hostile, "db", "storefront"]));
});

test("the scrubber moves the range by keyboard and by dragging, and Back undoes it", async ({ page }) => {
  await openMap(page);
  await page.getByRole("slider", { name: /Chosen window/ }).focus();
  await page.keyboard.press("ArrowLeft");
  await expect(page).toHaveURL(/from=\d{4}-/);
  await page.goBack();
  await expect(page).toHaveURL(/from=now-30m/);
  const plot = page.getByRole("region", { name: "Time scrubber" }).locator("svg:not([aria-hidden])");
  const box = (await plot.boundingBox())!;
  await page.mouse.move(box.x + box.width * 0.9, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, box.y + 20, { steps: 4 });
  await page.mouse.up();
  await expect(page).toHaveURL(/from=\d{4}-/);
  await page.goBack();
  await expect(page).toHaveURL(/from=now-30m/);
});

test("a refresh moves no node", async ({ page }) => {
  await openMap(page, "/map?from=now-30m");
  const places = (): Promise<string | null> => page.evaluate(() => localStorage.getItem("weir-map-places:workload:"));
  await expect.poll(places).not.toBeNull();
  const before = await places();
  for (let refresh = 0; refresh < 2; refresh++) await page.waitForResponse((one) => one.url().includes("/api/map?"));
  expect(await places()).toBe(before);
});

test("nothing in the range and nothing through the filter are told apart", async ({ page }) => {
  await open(page, "/map?from=now-3d&to=now-2d&live=0");
  await expect(page.getByText("Nothing was observed in this range")).toBeVisible();
  await open(page, `${MAP}&q=port:1`);
  await expect(page.getByText("Nothing matches the filter")).toBeVisible();
});

test("axe finds nothing on the map, its table and its panels; pictures at three widths", async ({
  page,
  violations,
}, info) => {
  test.setTimeout(240_000);
  for (const theme of THEMES) {
    for (const width of WIDTHS) {
      await openMap(page, CART_DB, { theme, width });
      await expect(page.getByRole("complementary", { name: "Edge" })).toContainText("Failures");
      expect(await axeProblems(page), `${theme} ${width}`).toEqual([]);
      await info.attach(`map-${theme}-${width}`, { body: await page.screenshot(), contentType: "image/png" });
    }
    await openMap(page, `${MAP}&view=table&sel=${encodeURIComponent("storefront/cart")}`, { theme, width: 1440 });
    await expect(page.getByRole("complementary", { name: "Workload" })).toContainText("Endpoints");
    expect(await axeProblems(page), `${theme} table and node`).toEqual([]);
  }
  expect(violations).toEqual([]);
});
