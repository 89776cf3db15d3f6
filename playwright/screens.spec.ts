import { expect, open, PAGES, test, THEMES, WIDTHS } from "./fixtures.ts";

/** Pictures of every page go to test-results/screens. */
for (const width of WIDTHS) {
  test(`every page fits ${width} px in both themes`, async ({ page }, info) => {
    test.setTimeout(180_000);
    for (const theme of THEMES) {
      for (const path of PAGES) {
        await open(page, `${path}?from=now-30m&live=0`, { theme, width });
        await expect(page.getByText(/^Reading the/)).toHaveCount(0);
        const overflow = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        expect(overflow, `${path} at ${width} px`).toBe(0);
        await page.screenshot({ path: `${info.project.outputDir}/screens${path}-${theme}-${width}.png` });
      }
    }
  });
}
