import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { axeProblems, expect, open, test, THEMES } from "./fixtures.ts";

const POLICIES = "/policies?from=now-30m&live=0";

const CLOSE_PAYMENTS = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: payments-ingress
  namespace: payments
spec:
  podSelector: {}
  ingress:
    - from:
        - namespaceSelector: {}
          podSelector:
            matchLabels: {app: web}
`;
/** The line whose selection closes the namespace. */
const SELECTS = 7;

/** Writes a text into a new file of the editor, as a paste does: the editor would indent lines that are typed. */
async function write(page: Page, text: string): Promise<void> {
  await page.getByRole("button", { name: "New file" }).click();
  const editor = page.getByRole("textbox", { name: /^Policy policy/ });
  await editor.click();
  await page.keyboard.insertText(text);
  await expect(page.getByTestId("policy-editor")).toContainText("payments-ingress");
}

/** Chooses from the menu that an edge, a drop and a flow have. */
async function tryPolicy(page: Page, action: string): Promise<void> {
  await page.getByRole("button", { name: "Try a policy" }).click();
  await page.getByRole("menuitem", { name: action }).click();
}

/** The folder that the server was given. */
async function folderOf(page: Page): Promise<string> {
  const answer = (await (await page.request.get("/api/policies")).json()) as { folder: { path: string } };
  return answer.folder.path;
}

const impact = (page: Page) => page.getByRole("region", { name: "Impact" });
const flows = (page: Page) => page.getByRole("grid", { name: "Flows" });

test("a policy is typed: numbers, map, table and the deciding line follow", async ({ page, violations }) => {
  await open(page, POLICIES);
  await write(page, CLOSE_PAYMENTS);
  await expect(page.getByTestId("impact-map")).toHaveAttribute("data-edges", /newly-denied/);
  await expect(impact(page)).toContainText("Newly denied");
  const row = flows(page).getByRole("row").filter({ hasText: "newly denied" }).first();
  await expect(row).toContainText(`line ${SELECTS}, default`);
  await row.click();
  await expect(page.locator(".cm-note-denied")).toContainText("default deny");
  await expect(page.locator(".cm-line-selected")).toContainText("podSelector: {}");
  await expect(page.locator(".cm-note-degraded")).toContainText("Nearest miss");
  await expect(page.getByText("In words")).toBeVisible();
  await expect(page.getByText(/may reach all pods in payments/)).toBeVisible();
  await page.reload();
  await expect(page.getByTestId("policy-editor")).toContainText("payments-ingress"); // nothing is lost
  expect(violations).toEqual([]);
});

test("half-typed text keeps the last answer, marked with its time and the line of the error", async ({ page }) => {
  await open(page, POLICIES);
  await write(page, CLOSE_PAYMENTS);
  await expect(flows(page).getByRole("row").filter({ hasText: "newly denied" }).first()).toBeVisible();
  await page.keyboard.press("Control+End");
  await page.keyboard.insertText("  egress: {\n");
  await expect(impact(page)).toContainText(/Answer of \d\d:\d\d:\d\d, before the error on line \d+/);
  await expect(flows(page).getByRole("row").filter({ hasText: "newly denied" }).first()).toBeVisible();
  await expect(page.locator(".cm-lintRange-error, .cm-lintPoint-error").first()).toBeAttached();
  await page.keyboard.press("Control+z");
  await expect(impact(page)).not.toContainText("Answer of");
});

test("names that exist in the traffic are offered", async ({ page }) => {
  await open(page, POLICIES);
  await write(page, CLOSE_PAYMENTS);
  await page.keyboard.press("Control+End");
  await page.keyboard.insertText("        - podSelector:\n            matchLabels:\n              app: ");
  await page.keyboard.press("Control+Space");
  await expect(page.locator(".cm-tooltip-autocomplete")).toContainText("ledger");
});

test("a denied flow is let in by the smallest edit, shown as a diff before it is taken", async ({ page }) => {
  await open(page, POLICIES);
  await write(page, CLOSE_PAYMENTS);
  const row = flows(page).getByRole("row").filter({ hasText: "newly denied" }).filter({ hasText: "cart" });
  await row.click();
  await page.getByRole("button", { name: "Allow this" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("One ingress rule more in payments-ingress");
  await expect(dialog.getByTestId("policy-diff")).toContainText("app: cart");
  await expect(dialog).toContainText(/With it: \d+ flows?/);
  await dialog.getByRole("button", { name: "Take this edit" }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByTestId("policy-editor")).toContainText("app: cart");
  await expect(flows(page).getByRole("row").filter({ hasText: "cart" })).toHaveCount(0);
});

test("an edge of the map leads to a policy that allows only it", async ({ page }) => {
  await open(page, "/map?from=now-30m&live=0&sel=storefront%2Fweb+%E2%86%92+payments%2Fpayments");
  await tryPolicy(page, "Only this");
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("web → payments");
  await expect(dialog.getByTestId("policy-diff")).toContainText("kind: NetworkPolicy");
  await dialog.getByRole("button", { name: "Take this edit" }).click();
  await expect(page.getByTestId("policy-editor")).toContainText("app: web");
});

test("a drop leads to a policy, and the page says what it can and cannot do about it", async ({ page }) => {
  await open(page, "/drops?from=now-30m&live=0");
  await page
    .getByRole("grid", { name: "Causes of drops" })
    .getByRole("row")
    .filter({ hasText: "NETFILTER_DROP" })
    .filter({ hasText: "cart" })
    .click();
  await tryPolicy(page, "Allow this");
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("cart → db");
  await expect(dialog).toContainText("no policy here denies it"); // a firewall rule did
  await dialog.getByText("Only this", { exact: true }).click();
  await expect(dialog.getByTestId("policy-diff")).toContainText("app: cart");
  await dialog.getByRole("button", { name: "Take this edit" }).click();
  await expect(page.getByTestId("policy-editor")).toContainText("app: cart");
  await expect(flows(page).getByRole("row").filter({ hasText: "newly denied" }).first()).toBeVisible();
});

test("a flow leads to a policy that denies it", async ({ page }) => {
  await open(page, "/flows?from=now-30m&live=0&q=src%3Aweb+dst%3Apayments");
  await page.getByRole("grid", { name: "Flows" }).getByRole("row").filter({ hasText: "payments" }).first().click();
  await tryPolicy(page, "Deny this");
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("web → payments, TCP 8443");
  await expect(dialog.getByTestId("policy-diff")).toContainText("kind: NetworkPolicy");
  await dialog.getByRole("button", { name: "Take this edit" }).click();
  await expect(flows(page).getByRole("row").filter({ hasText: "newly denied" }).first()).toContainText("web");
});

test("an edge is dragged from the map into the editor, and its buttons do the same", async ({ page }) => {
  await open(page, POLICIES);
  const canvas = page.getByTestId("impact-map").getByTestId("map-canvas");
  await expect(canvas).toBeVisible();
  const edge = await edgeOnMap(page);
  await page.mouse.move(edge.x, edge.y);
  await page.mouse.down();
  await page.mouse.move(edge.x - 40, edge.y, { steps: 4 });
  await expect(page.getByText("drag into the editor")).toBeVisible();
  const editor = (await page.getByRole("region", { name: "Editor" }).boundingBox())!;
  await page.mouse.move(editor.x + 100, editor.y + 300, { steps: 6 });
  await expect(page.getByText("let go for a policy")).toBeVisible();
  await page.mouse.up();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("→");
  await dialog.getByRole("button", { name: "Leave it" }).click();
  const again = await edgeOnMap(page);
  await page.mouse.click(again.x, again.y);
  await impact(page).getByRole("button", { name: "Only this" }).click();
  await expect(dialog.getByTestId("policy-diff")).toContainText("kind: NetworkPolicy");
});

/** A place on the impact map where the pointer is over an edge. */
async function edgeOnMap(page: Page): Promise<{ readonly x: number; readonly y: number }> {
  const canvas = page.getByTestId("impact-map").getByTestId("map-canvas");
  const box = (await canvas.boundingBox())!;
  let found: { x: number; y: number } | undefined;
  await expect(async () => {
    for (let y = box.y + 30; y < box.y + box.height - 20 && found === undefined; y += 14)
      for (let x = box.x + 160; x < box.x + box.width - 20 && found === undefined; x += 9) {
        await page.mouse.move(x, y);
        if ((await canvas.getAttribute("data-over")) === "edge") found = { x, y };
      }
    expect(found).toBeDefined();
  }).toPass();
  return found!;
}

test("files of the server's folder are in force, follow the disk, and count what is edited here as a change", async ({
  page,
}) => {
  const folder = await folderOf(page);
  const file = join(folder, "payments.yaml");
  try {
    await writeFile(file, CLOSE_PAYMENTS);
    await open(page, POLICIES);
    const list = page.getByRole("navigation", { name: "Files of policies" });
    const entry = list.getByRole("button", { name: /^payments in force/ });
    await expect(entry).toBeVisible();
    await expect(list).toContainText("payments/payments-ingress");
    await expect(page.getByTestId("impact-map")).toHaveAttribute("data-edges", /still-denied/); // before and after
    await entry.click();
    await expect(page.getByText("as on disk")).toBeVisible();
    await page.locator(".cm-content").click();
    await page.keyboard.press("Control+End");
    await page.keyboard.insertText("    - from:\n        - namespaceSelector: {}\n");
    await expect(page.getByText("changed against disk")).toBeVisible();
    await expect(list.getByRole("button", { name: /^payments changed/ })).toBeVisible();
    await expect(page.getByTestId("impact-map")).toHaveAttribute("data-edges", /newly-allowed/);
    await page.getByRole("button", { name: "Diff to disk" }).click();
    await expect(page.getByTestId("policy-diff")).toContainText("namespaceSelector: {}");
    await writeFile(join(folder, "broken.yaml"), "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n");
    await expect(list.getByRole("button", { name: /^broken not read/ })).toBeVisible();
    await expect(page.getByTestId("impact-map")).toHaveAttribute("data-edges", /newly-allowed/); // it refuses nothing
    await rm(file);
    await expect(list.getByRole("button", { name: /^payments gone from disk/ })).toBeVisible();
  } finally {
    await rm(file, { force: true });
    await rm(join(folder, "broken.yaml"), { force: true });
  }
});

test("files are dropped on the page and a folder is opened, each as a draft", async ({ page }) => {
  await open(page, POLICIES);
  const place = await mkdtemp(join(tmpdir(), "weir-folder-"));
  try {
    await mkdir(join(place, "shop"));
    await writeFile(join(place, "a.yaml"), CLOSE_PAYMENTS);
    await writeFile(join(place, "shop", "b.yml"), CLOSE_PAYMENTS.replace("payments-ingress", "other"));
    await writeFile(join(place, "README.md"), "no policy");
    await page.getByLabel("Open a folder: policies of this machine").setInputFiles(place);
    await expect(page.getByText("2 files opened as drafts; 1 without .yaml")).toBeVisible();
    const list = page.getByRole("navigation", { name: "Files of policies" });
    await expect(list.getByRole("button", { name: /^shop\/b.* draft/ })).toBeVisible();
  } finally {
    await rm(place, { recursive: true });
  }
  await expect(page.getByTestId("policy-editor")).toContainText("payments-ingress"); // it is there to be dropped on
  await page.evaluate((text) => {
    const data = new DataTransfer();
    data.items.add(new File([text], "dropped.yaml"));
    const editor = document.querySelector(".cm-content")!;
    for (const type of ["dragover", "drop"])
      editor.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
  }, CLOSE_PAYMENTS);
  await expect(page.getByRole("button", { name: "dropped", exact: true })).toBeVisible(); // its tab
  await expect(page.getByTestId("policy-editor")).toContainText("payments-ingress");
});

test("a draft of six megabytes is there after a reload, and so is what was typed just before it", async ({ page }) => {
  await open(page, POLICIES);
  await page.getByLabel("Open files: policies of this machine").setInputFiles({
    name: "large.yaml",
    mimeType: "application/yaml",
    buffer: Buffer.from(`${CLOSE_PAYMENTS}${"# a long note that fills the file\n".repeat(190_000)}`),
  });
  await expect(page.getByTestId("policy-editor")).toContainText("payments-ingress");
  await expect(kept(page)).toBeVisible();
  await page.getByRole("button", { name: "New file" }).click();
  await page.getByRole("textbox", { name: /^Policy policy/ }).click();
  await page.keyboard.insertText("# typed last\n");
  await page.reload();
  await expect(page.getByTestId("policy-editor")).toContainText("# typed last");
  await page.getByRole("button", { name: "large", exact: true }).click();
  await expect(page.getByTestId("policy-editor")).toContainText("payments-ingress");
});

test("one is generated, opens in a tab, and denies nothing that was seen", async ({ page }) => {
  await open(page, `${POLICIES}&view=generate`);
  await page.getByRole("combobox", { name: "Namespace" }).selectOption("data");
  await expect(page.getByRole("heading", { name: /^2 policies with/ })).toBeVisible();
  await page.getByRole("button", { name: "Open in the editor" }).click();
  await expect(page.getByTestId("policy-editor")).toContainText("kind: NetworkPolicy");
  await expect(impact(page)).toContainText(/Newly denied0 flows/);
});

test("a link brings the files, and two of them are compared", async ({ page, context, browser }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await open(page, POLICIES);
  await write(page, CLOSE_PAYMENTS);
  await page.getByRole("button", { name: "Share" }).click();
  await expect(page.getByText(/Link with 1 file copied/)).toBeVisible();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  const somebody = await browser.newContext();
  const other = await somebody.newPage();
  await other.goto(link);
  await expect(other.getByTestId("policy-editor")).toContainText("payments-ingress");
  await expect(other).toHaveURL(/^[^#]*$/);
  await write(other, CLOSE_PAYMENTS.replace("app: web", "app: cart"));
  await other.getByRole("radio", { name: "Compare" }).check({ force: true });
  await expect(other.getByText(/The second alone denies/)).toBeVisible();
  await expect(other.getByRole("grid", { name: "Flows that differ" })).toContainText("cart");
  await somebody.close();
});

test("a wide rule is narrowed by one click and taken back by another; rules that contradict each other are named", async ({
  page,
}) => {
  await open(page, POLICIES);
  await write(page, CLOSE_PAYMENTS.replace("matchLabels: {app: web}", "{}"));
  await page.getByRole("radio", { name: "Coverage" }).check({ force: true });
  await expect(page.getByText(/takes in \d+ workloads, of which/)).toBeVisible();
  await page.getByRole("button", { name: "Narrow it" }).click();
  await expect(page.getByText("lets in what was seen and no more")).toBeVisible();
  await expect(page.getByText("No rule lets in more ports or peers than were seen.")).toBeVisible();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByText(/takes in \d+ workloads, of which/)).toBeVisible();
  const admin = (name: string, action: string, priority: number): string =>
    `---\napiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: {name: ${name}}\nspec:\n  priority: ${priority}\n  subject: {namespaces: {}}\n  ingress:\n    - action: ${action}\n      from: [{namespaces: {}}]\n`;
  await page.getByRole("radio", { name: "Editor" }).check({ force: true });
  await page.locator(".cm-content").click();
  await page.keyboard.press("Control+End");
  await page.keyboard.insertText(admin("first", "Deny", 1) + admin("second", "Allow", 2));
  await page.getByRole("radio", { name: "Coverage" }).check({ force: true });
  await expect(page.getByText(/AdminNetworkPolicy\/second.*AdminNetworkPolicy\/first/)).toBeVisible();
});

test("the matrix is walked by keys to the line that decides, and sorted by a name", async ({ page }) => {
  await open(page, POLICIES);
  await write(page, CLOSE_PAYMENTS);
  await page.getByRole("radio", { name: "Matrix" }).check({ force: true });
  const matrix = page.getByRole("grid", { name: "Matrix" });
  await matrix.getByRole("columnheader", { name: "payments/ledger" }).getByRole("button").click();
  await expect(page.getByText("Sources by connections to payments/ledger")).toBeVisible();
  await expect(matrix.getByRole("rowheader").first()).toHaveText("payments/payments");
  await matrix.focus();
  await page.keyboard.press("ArrowDown");
  await expect(page.getByRole("status").filter({ hasText: "payments/payments →" })).toBeVisible();
  for (let step = 0; step < 12; step++) {
    if (await page.getByRole("status").filter({ hasText: "→ payments/ledger: did, and may not" }).isVisible()) break;
    await page.keyboard.press("ArrowRight");
  }
  await expect(page.getByRole("status").filter({ hasText: `line ${SELECTS}, default deny` })).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page.locator(".cm-line-selected")).toContainText("podSelector: {}");
});

test("coverage names workloads without a policy and rules that nothing hits", async ({ page }) => {
  await open(page, POLICIES);
  await write(page, CLOSE_PAYMENTS.replace("app: web", "app: checkuot"));
  await page.getByRole("radio", { name: "Coverage" }).check({ force: true });
  await expect(page.getByText(/never hit/)).toBeVisible();
  await expect(page.getByRole("main")).toContainText("storefront/web");
  await page.getByRole("button", { name: "Remove rule" }).click();
  await expect(page.getByText(/never hit/)).toBeHidden();
});

/** Pastes as a clipboard does; the text is made in the page, so that no megabytes go there. */
async function paste(page: Page, line: string, times: number): Promise<void> {
  await page.evaluate(
    ([of, count]) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData("text/plain", of.repeat(count));
      const event = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
      document.querySelector(".cm-content")!.dispatchEvent(event);
    },
    [line, times] as const,
  );
}

const kept = (page: Page) => page.getByText(/Draft kept \d\d:/);
const LONG_KEPT = /Draft kept .*; a long text, so without colours/;

test("more than 10 MB is not taken, at once or by and by, and the page says so", async ({ page }) => {
  await open(page, POLICIES);
  await write(page, CLOSE_PAYMENTS);
  await paste(page, "# ten megabytes\n", 700_000);
  await expect(page.getByText(/Not taken: the file would have 11,200,\d+ characters/)).toBeVisible();
  await expect(page.getByTestId("policy-editor")).toContainText("payments-ingress");
  await paste(page, "# nine megabytes\n", 560_000);
  await expect(page.getByText(LONG_KEPT)).toBeVisible();
  await paste(page, "# nine megabytes\n", 560_000);
  await expect(page.getByText(/Not taken: the file would have 19,040,\d+ characters/)).toBeVisible();
  await expect(flows(page).getByRole("row").filter({ hasText: "newly denied" }).first()).toBeVisible(); // it is judged
  await page.keyboard.press("Control+z");
  await page.keyboard.press("Control+Home");
  await expect(page.getByTestId("policy-editor")).toContainText("app: web");
  await expect(page.getByTestId("policy-editor")).not.toContainText("nine megabytes");
  await paste(page, `---\n${CLOSE_PAYMENTS}`, 10_001);
  await expect(page.getByText(/Line \d+: too many documents in one file/).first()).toBeVisible();
  const twenty = { name: "twenty.yaml", mimeType: "application/yaml", buffer: Buffer.alloc(20_000_000, "# twenty\n") };
  await page.getByLabel("Open files: policies of this machine").setInputFiles(twenty);
  await expect(page.getByText(/Nothing opened; twenty.yaml \(19.1 MB\) not taken: .* 10 MB/)).toBeVisible();
});

test("a draft of nine megabytes keeps every letter: keys after a paste, other tabs, a reload at once", async ({
  page,
}) => {
  await open(page, POLICIES);
  await write(page, CLOSE_PAYMENTS);
  const editor = page.getByTestId("policy-editor");
  await paste(page, "# nine megabytes\n", 560_000);
  await page.keyboard.type("# typed meanwhile"); // in order: after what was pasted
  await expect(page.getByText(LONG_KEPT)).toBeVisible();
  await expect(editor).toContainText("# nine megabytes# typed meanwhile");
  await page.keyboard.type(", and left at once");
  await page.getByRole("button", { name: "New file" }).click();
  await expect(page.getByRole("textbox", { name: /^Policy policy-2/ })).toBeVisible();
  await expect(kept(page)).toBeVisible();
  await page.getByRole("button", { name: "policy", exact: true }).click();
  await page.locator(".cm-content").click();
  // the text comes in slices, so its end is where it is only once all have come
  await expect(async () => {
    await page.keyboard.press("Control+End");
    await expect(editor).toContainText("# typed meanwhile, and left at once", { timeout: 500 });
  }).toPass({ timeout: 30_000 });
  await expect(page.getByText(LONG_KEPT)).toBeVisible();
  await page.keyboard.press("Control+Home");
  await page.keyboard.insertText("# typed last\n");
  await page.reload();
  await expect(editor).toContainText("# typed last");
  await expect(editor).toContainText("payments-ingress");
});

test("a line of five megabytes is shown in part, and one may write in it", async ({ page }) => {
  await open(page, POLICIES);
  const line = {
    name: "line.yaml",
    mimeType: "application/yaml",
    buffer: Buffer.alloc(5_000_000, "# all in one line "),
  };
  await page.getByLabel("Open files: policies of this machine").setInputFiles(line);
  const editor = page.getByTestId("policy-editor");
  await expect(editor).toContainText("# all in one line");
  expect((await editor.innerText()).length).toBeLessThan(100_000);
  await page.locator(".cm-content").click({ position: { x: 40, y: 16 } });
  await page.keyboard.press("Home");
  await page.keyboard.type("# here ");
  await expect(editor).toContainText("# here # all in one line");
  await expect(page.getByText(LONG_KEPT)).toBeVisible();
});

test("the page has no finding of axe, wide and narrow, in every view", async ({ page, violations }) => {
  test.setTimeout(240_000);
  for (const theme of THEMES) {
    await open(page, POLICIES, { theme, width: 1440 });
    await write(page, CLOSE_PAYMENTS);
    await flows(page).getByRole("row").filter({ hasText: "newly denied" }).first().click();
    await expect(page.locator(".cm-note-denied")).toBeVisible();
    expect(await axeProblems(page), theme).toEqual([]);
    for (const view of ["Coverage", "Generate", "Compare", "Matrix"]) {
      await page.getByRole("radio", { name: view }).check({ force: true });
      await expect(page.getByText(/^(Working out|Reading what|Judging both|Asking every)/)).toHaveCount(0);
      expect(await axeProblems(page), `${theme} ${view}`).toEqual([]);
    }
  }
  await open(page, POLICIES, { width: 390 });
  await expect(impact(page)).toContainText("Newly denied");
  expect(await axeProblems(page), "narrow").toEqual([]);
  expect(violations).toEqual([]);
});
