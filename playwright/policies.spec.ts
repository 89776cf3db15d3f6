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
  await page.getByRole("link", { name: "Try a policy" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("web → payments");
  await dialog.getByText("Only this", { exact: true }).click();
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
  await page.getByRole("link", { name: "Try a policy" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("cart → db");
  await expect(dialog).toContainText("no policy here denies it"); // a firewall rule did
  await dialog.getByText("Only this", { exact: true }).click();
  await expect(dialog.getByTestId("policy-diff")).toContainText("app: cart");
  await dialog.getByRole("button", { name: "Take this edit" }).click();
  await expect(page.getByTestId("policy-editor")).toContainText("app: cart");
  await expect(flows(page).getByRole("row").filter({ hasText: "newly denied" }).first()).toBeVisible();
});

test("one is generated, opens in a tab, and denies nothing that was seen", async ({ page }) => {
  await open(page, `${POLICIES}&view=generate`);
  await page.getByRole("combobox", { name: "Namespace" }).selectOption("data");
  await expect(page.getByRole("heading", { name: /^2 policies with/ })).toBeVisible();
  await page.getByRole("button", { name: "Open in the editor" }).click();
  await expect(page.getByTestId("policy-editor")).toContainText("kind: NetworkPolicy");
  await expect(impact(page)).toContainText(/Newly denied0 flows/);
});

test("a link brings the files, and two of them are compared", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await open(page, POLICIES);
  await write(page, CLOSE_PAYMENTS);
  await page.getByRole("button", { name: "Share" }).click();
  await expect(page.getByText(/Link with 1 file copied/)).toBeVisible();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  await page.evaluate(() => localStorage.removeItem("weir-policy-drafts"));
  const other = await context.newPage();
  await other.goto(link);
  await expect(other.getByTestId("policy-editor")).toContainText("payments-ingress");
  await expect(other).toHaveURL(/^[^#]*$/);
  await write(other, CLOSE_PAYMENTS.replace("app: web", "app: cart"));
  await other.getByRole("radio", { name: "Compare" }).check({ force: true });
  await expect(other.getByText(/The second alone denies/)).toBeVisible();
  await expect(other.getByRole("grid", { name: "Flows that differ" })).toContainText("cart");
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

test("more than 10 MB is not taken, and the page says so", async ({ page }) => {
  await open(page, POLICIES);
  await write(page, CLOSE_PAYMENTS);
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.setData("text/plain", "# ten megabytes\n".repeat(700_000));
    document
      .querySelector(".cm-content")!
      .dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
  });
  await expect(page.getByText(/characters were not taken/)).toBeVisible();
  await expect(page.getByTestId("policy-editor")).toContainText("payments-ingress");
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
