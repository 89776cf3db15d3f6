import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { appConfig } from "./config.ts";
import { serveApp } from "./server.ts";

test("a port in use is said in one sentence with another port to try, before anything is built", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as AddressInfo;
  let built = false;
  const starting = serveApp(appConfig({ WEIR_PORT: String(port) }), {
    dev: false,
    build: async () => void (built = true),
  });
  await expect(starting).rejects.toThrow(
    `port ${port} on 127.0.0.1 is in use by another program; stop it, or choose another with WEIR_PORT=${port + 1}`,
  );
  expect(built).toBe(false);
  other.close();
});

test("an address that is not this machine's is said with the setting that names it", async () => {
  const starting = serveApp(appConfig({ WEIR_HOST: "192.0.2.1", WEIR_PORT: "0" }), { dev: false });
  await expect(starting).rejects.toThrow(/^WEIR_HOST: 192\.0\.2\.1 is no address of this machine/);
});

test("a failed build gives the port back and its own sentence", async () => {
  const config = appConfig({ WEIR_PORT: "0" });
  await expect(
    serveApp(config, { dev: false, build: () => Promise.reject(new Error("no room on the disk")) }),
  ).rejects.toThrow("no room on the disk");
});
