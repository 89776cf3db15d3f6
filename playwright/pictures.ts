/**
 * Draws docs/pictures again: `node playwright/pictures.ts http://127.0.0.1:7600`, the URL of a demo world that has run for
 * a few minutes (`npm run demo`). Map and drops are pictures of it; those of docs/what-if.md are of the shop that
 * bench/fill.ts makes up, in a store that is started for them. Look at each before it is committed.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Browser, type Page } from "@playwright/test";
import config from "../playwright.config.ts";
import { startWorld, type World } from "./fixtures.ts";

const PICTURES = fileURLToPath(new URL("../docs/pictures", import.meta.url));
const [WIDE, HIGH, MATRIX_HIGH] = [1440, 900, 560];
/** Where the pictures say that the policies are: the folder of the machine that draws them is nobody's business. */
const SHOWN_FOLDER = "/srv/policies";

const ingress = (name: string, namespace: string, app: string, rules: string): string =>
  `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: ${name}
  namespace: ${namespace}
spec:
  podSelector: ${app === "" ? "{}" : `{matchLabels: {app: ${app}}}`}
  ingress:
${rules}`;
const FROM_CART = `    # the reports of the cart
    - from:
        - namespaceSelector: {}
          podSelector:
            matchLabels: {app: cart}
`;
const PAYMENTS = ingress(
  "payments-ingress",
  "payments",
  "",
  `    # web charges cards
    - from:
        - namespaceSelector: {}
          podSelector:
            matchLabels: {app: web}
    # payments writes the ledger
    - from:
        - podSelector: {}
${FROM_CART}`,
);
/** An edit with a slip of the pen: cart is let in no more, and nobody is called gatway. */
const EDITED = PAYMENTS.replace("of the cart", "of the gateway").replace("app: cart", "app: gatway");
const IN_FORCE: Readonly<Record<string, string>> = {
  "payments-ingress.yaml": PAYMENTS,
  "data/db-ingress.yaml": ingress(
    "db-ingress",
    "data",
    "db",
    "    - from: [{namespaceSelector: {}}]\n      ports: [{port: 5432}]\n",
  ),
  "storefront/web-ingress.yaml": ingress("web-ingress", "storefront", "web", "    - from: [{namespaceSelector: {}}]\n"),
};

const demo = process.argv[2]?.replace(/\/$/, "");
if (demo === undefined) {
  process.stderr.write("say where a demo world is shown: node playwright/pictures.ts http://127.0.0.1:7600\n");
  process.exit(2);
}
const browser = await chromium.launch(config.use!.launchOptions);
try {
  await pictureDemo(browser, demo);
  const world = await startWorld(["--rows", "60000", "--minutes", "45"]);
  try {
    await pictureWhatIf(browser, world);
  } finally {
    await world.stop();
  }
} finally {
  await browser.close();
}

async function pictureDemo(from: Browser, url: string): Promise<void> {
  const edge = encodeURIComponent("storefront/web → payments/payments");
  for (const theme of ["dark", "light"] as const) {
    const page = await newPage(from, url, theme);
    await page.goto(`${url}/map?from=now-5m&sel=${edge}`);
    await page.getByRole("complementary", { name: "Edge" }).getByText("Top talkers").waitFor();
    await settle(page);
    await take(page, `map-${theme}`);
    if (theme === "dark") {
      await page.goto(`${url}/drops?from=now-5m`);
      await page.getByRole("heading", { name: "Failed connections" }).waitFor();
      await settle(page);
      await take(page, "drops-dark");
    }
    await page.context().close();
  }
}

async function pictureWhatIf(from: Browser, world: World): Promise<void> {
  const page = await newPage(from, world.url, "dark");
  await page.route("**/api/policies", async (route) => {
    const response = await route.fetch();
    const answer = (await response.json()) as { folder: { path: string } };
    await route.fulfill({ response, json: { ...answer, folder: { ...answer.folder, path: SHOWN_FOLDER } } });
  });
  const asked = (await (await page.request.get(`${world.url}/api/policies`)).json()) as { folder: { path: string } };
  for (const [name, text] of Object.entries(IN_FORCE)) {
    const file = join(asked.folder.path, name);
    await mkdir(join(file, ".."), { recursive: true });
    await writeFile(file, text);
  }
  await page.goto(`${world.url}/policies?from=now-1h&live=0`);
  await page
    .getByRole("button", { name: /payments-ingress/ })
    .first()
    .click();
  const editor = page.locator(".cm-content");
  await editor.click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(EDITED);
  const denied = page.getByRole("grid", { name: "Flows" }).getByRole("row").filter({ hasText: "newly denied" }).first();
  await denied.click();
  await page.locator(".cm-note-denied").waitFor();
  await page.locator(".cm-count-idle").filter({ hasText: "never hit" }).waitFor();
  await settle(page);
  await take(page, "what-if-editor");

  await page.getByRole("button", { name: "Allow this" }).click();
  await page.getByRole("button", { name: "Take this edit" }).waitFor();
  await settle(page);
  await take(page, "what-if-edit");
  await page.getByRole("button", { name: "Leave it" }).click();

  await page.getByRole("radio", { name: "Coverage" }).check({ force: true });
  await page.getByText("Wider than the traffic").waitFor();
  await settle(page);
  await take(page, "what-if-coverage");

  await page.setViewportSize({ width: WIDE, height: MATRIX_HIGH });
  await page.getByRole("radio", { name: "Matrix" }).check({ force: true });
  await walkTo(page, "storefront/cart", "payments/ledger");
  await settle(page);
  await take(page, "what-if-matrix");
}

/** Walks the matrix by keys to a cell. */
async function walkTo(page: Page, source: string, destination: string): Promise<void> {
  const grid = page.getByRole("grid", { name: "Matrix" });
  await grid.focus();
  const press = async (key: string, names: readonly string[], name: string): Promise<void> => {
    for (let steps = names.indexOf(name); steps > 0; steps--) await page.keyboard.press(key);
  };
  await page.keyboard.press("ArrowUp"); // the first cell
  await press("ArrowDown", await grid.getByRole("rowheader").allTextContents(), source);
  const [, ...columns] = await grid.getByRole("columnheader").allTextContents();
  await press("ArrowRight", columns, destination);
  await page
    .getByRole("status")
    .filter({ hasText: `${source} → ${destination}` })
    .waitFor();
  await grid.blur(); // the cell stays chosen; no ring round the whole
}

async function newPage(from: Browser, url: string, theme: "dark" | "light"): Promise<Page> {
  const context = await from.newContext({ viewport: { width: WIDE, height: HIGH } });
  await context.addCookies([{ name: "weir-theme", value: theme, url }]);
  return context.newPage();
}

/** Until nothing is being read and two pictures in a row are the same, or the page is a live one that never rests. */
async function settle(page: Page): Promise<void> {
  await page.waitForFunction(() => !/\b(Reading|Laying out) /.test(document.body.innerText));
  await page.mouse.move(0, 0);
  let before = await page.screenshot();
  for (let round = 0; round < 6; round++) {
    await page.waitForTimeout(500);
    const now = await page.screenshot();
    if (now.equals(before)) return;
    before = now;
  }
}

async function take(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(PICTURES, `${name}.png`) });
  process.stdout.write(`${name}.png\n`);
}
