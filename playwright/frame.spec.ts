import { WebSocket } from "ws";
import { axeProblems, expect, open, PAGES, test } from "./fixtures.ts";

test("every page opens without breaking the content security policy", async ({ page, violations }) => {
  for (const path of PAGES) {
    await open(page, path);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  }
  expect(violations).toEqual([]);
});

test("no page has a finding of axe, in either theme", async ({ page }) => {
  test.setTimeout(180_000);
  for (const theme of ["dark", "light"] as const) {
    for (const path of PAGES) {
      await open(page, path, { theme });
      expect(await axeProblems(page), `${path} ${theme}`).toEqual([]);
    }
  }
});

test("scope, filter, range and live stand in the URL and go along to other pages", async ({ page }) => {
  await open(page, "/map");
  await page.getByRole("combobox", { name: "Filter" }).fill("verdict:dropped");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/q=verdict:dropped/);
  await page.getByRole("button", { name: /Time range/ }).click();
  await page.getByRole("button", { name: /Last hour/ }).click();
  await expect(page).toHaveURL(/from=now-1h/);
  await page.getByRole("link", { name: "Drops" }).click();
  await expect(page).toHaveURL(/\/drops\?.*q=verdict(:|%3A)dropped/);
  await expect(page).toHaveURL(/from=now-1h/);
  await page.reload();
  await expect(page.getByRole("button", { name: "Remove verdict:dropped" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Time range: Last hour" })).toBeVisible();
});

test("a filter with a typo keeps its text and says what is wrong", async ({ page }) => {
  await open(page, "/map");
  const field = page.getByRole("combobox", { name: "Filter" });
  await field.fill("prot:TCP");
  await field.press("Enter");
  await expect(field).toHaveValue("prot:TCP");
  await expect(page.getByText(/did you mean proto/)).toBeVisible();
  await expect(page).not.toHaveURL(/q=/);
});

test("completion lists what exists in the range and Tab takes it", async ({ page }) => {
  await open(page, "/map?from=now-1h");
  const field = page.getByRole("combobox", { name: "Filter" });
  await field.pressSequentially("verd");
  await expect(page.getByRole("option", { name: /verdict:/ })).toBeVisible();
  await field.press("Tab");
  await expect(field).toHaveValue("verdict:");
  await expect(page.getByRole("option", { name: /^allowed/ })).toBeVisible();
  await field.pressSequentially("drop");
  await expect(page.getByRole("option")).toHaveCount(1);
  await field.press("Tab");
  await expect(page).toHaveURL(/q=verdict(:|%3A)dropped/);
});

test("a typed range that is backwards is refused in words; a right one is taken", async ({ page }) => {
  await open(page, "/map");
  await page.getByRole("button", { name: /Time range/ }).click();
  const typed = page.getByRole("textbox", { name: "Type a range" });
  await typed.fill("now-1h to now-2h");
  await typed.press("Enter");
  await expect(page.getByText(/the range is backwards/)).toBeVisible();
  await typed.fill("now-2h to now-1h");
  await typed.press("Enter");
  await expect(page).toHaveURL(/from=now-2h&to=now-1h/);
});

test("the keyboard reaches pages, filter, time, pause and help, and single letters can be turned off", async ({
  page,
}) => {
  await open(page, "/map");
  await page.keyboard.press("g");
  await page.keyboard.press("d");
  await expect(page).toHaveURL(/\/drops/);
  await page.keyboard.press("/");
  await expect(page.getByRole("combobox", { name: "Filter" })).toBeFocused();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Space");
  await expect(page).toHaveURL(/live=0/);
  await page.keyboard.press("Space");
  await expect(page).not.toHaveURL(/live=0/);
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Help" })).toBeVisible();
  await page.getByRole("switch", { name: "Single-letter keys" }).click();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog", { name: "Help" })).toBeHidden();
  await page.keyboard.press("g");
  await page.keyboard.press("m");
  await expect(page).toHaveURL(/\/drops/);
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("dialog", { name: "Commands" })).toBeVisible();
  await page.keyboard.type("flows");
  await expect(page.getByRole("option", { selected: true })).toHaveText("Flows");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/flows/);
});

test("the chosen theme is there in the first paint of the next visit", async ({ page }) => {
  await open(page, "/map");
  await page.keyboard.press("?");
  await page.getByRole("radiogroup", { name: "Theme" }).getByText("Light").click();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "light");
  const html = await (await page.request.get("/map")).text();
  expect(html).toContain('data-theme="light"');
});

test("the rail is narrow by choice and stays so", async ({ page }) => {
  await open(page, "/map");
  await page.getByRole("button", { name: "Narrow the rail" }).click();
  await page.reload();
  await expect(page.locator("html")).toHaveAttribute("data-rail", "narrow");
  await expect(page.getByRole("link", { name: "Drops" })).toBeVisible();
});

test("a WebSocket of another site, and one to an unknown path, are refused", async ({ world }) => {
  expect(await upgrade(`${world.url}/ws`, "http://evil.example")).toBe(403);
  expect(await upgrade(`${world.url}/ws`, undefined)).toBe(403);
  expect(await upgrade(`${world.url}/other`, world.url)).toBe(404);
  expect(await upgrade(`${world.url}/ws`, world.url)).toBe("open");
});

test("a name that is not this app's is refused, and so is a form of another site", async ({ world, request }) => {
  const renamed = await request.get(`${world.url}/api/status`, { headers: { host: "weir.evil.example" } });
  expect(renamed.status()).toBe(403);
  expect(await renamed.json()).toMatchObject({ error: { code: "refused" } });
  const posted = await request.post(`${world.url}/map`, { headers: { origin: "http://evil.example" } });
  expect(posted.status()).toBe(403);
});

test("a wrong filter and a backwards range in a question are answered in words", async ({ request }) => {
  const filter = await request.get("/api/status?q=prot:TCP");
  expect(filter.status()).toBe(400);
  expect(await filter.json()).toMatchObject({
    error: { code: "bad-filter", message: expect.stringContaining("did you mean proto") },
  });
  const range = await request.get("/api/status?from=now&to=now-1h");
  expect(range.status()).toBe(400);
  expect(await range.json()).toMatchObject({ error: { code: "bad-range" } });
});

test("reading can be stopped, which stops the clock too, and be asked again", async ({ page }) => {
  let isHeld = true;
  await page.route("**/api/map?**", async (route) => {
    if (!isHeld) await route.continue(); // else never answered: the page has to give up by itself
  });
  await page.goto("/map");
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByText("The service map was not read")).toBeVisible();
  await expect(page).toHaveURL(/live=0/);
  isHeld = false;
  await page.getByRole("button", { name: "Ask again" }).click();
  await expect(page.getByText("The service map was not read")).toBeHidden();
});

/** Asks for a WebSocket; "open", or the status of the refusal. */
function upgrade(url: string, origin: string | undefined): Promise<number | "open"> {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(url.replace("http:", "ws:"), origin === undefined ? {} : { origin });
    ws.on("open", () => {
      ws.close();
      resolve("open");
    });
    ws.on("unexpected-response", (_request, response) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    ws.on("error", (error) => (/Unexpected server response/.test(error.message) ? undefined : reject(error)));
  });
}
