import { expect, test } from "vitest";
import { appConfig } from "./config.ts";

test("nothing set: loopback, port 7070, the collector's socket below the data directory", () => {
  const config = appConfig({ WEIR_DATA_DIR: "/data" });
  expect(config).toEqual({ host: "127.0.0.1", port: 7070, collectorSocket: "/data/run/collector.sock", names: [] });
});

test("names are read from a comma list, in lower case", () => {
  expect(appConfig({ WEIR_HOST_NAMES: "Weir.example, other.example" }).names).toEqual([
    "weir.example",
    "other.example",
  ]);
});

test.each(["http", "70000", "-1", "1.5"])("WEIR_PORT=%s is refused by its name", (port) => {
  expect(() => appConfig({ WEIR_PORT: port })).toThrow(/^WEIR_PORT: /);
});
