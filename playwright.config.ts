import { defineConfig } from "@playwright/test";

/**
 * The browser's tests. `playwright/world.ts` starts a real store, fills it, and serves the built app on free ports;
 * WEIR_TEST_URL points the tests at an app that runs already (a demo).
 */
export default defineConfig({
  testDir: "playwright",
  outputDir: "test-results",
  timeout: 60_000,
  expect: { timeout: 15_000 },
  workers: 1, // two cores: a second browser only makes both slow
  reporter: [["list"]],
  use: {
    browserName: "chromium",
    viewport: { width: 1440, height: 900 },
    launchOptions: {
      executablePath: process.env["WEIR_CHROMIUM"] ?? "/usr/bin/chromium",
      args: [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
