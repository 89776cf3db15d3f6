/** Secrets stay where they are: in no log, error, answer, metric, command line or support bundle. */
import { readFileSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { join } from "node:path";
import { start, WEIR, weir } from "../weir.ts";
import type { House } from "./house.ts";
import { expectThat, type Input } from "./table.ts";

const CANARY = "hunter2-canary-0451";

function without(where: string, text: string, secrets: readonly string[]): void {
  const found = secrets.find(
    (secret) => text.includes(secret) || text.includes(Buffer.from(secret).toString("base64").replace(/=+$/, "")),
  );
  expectThat(found === undefined, `${where} has ${found === CANARY ? "the password" : "the writer's token"}`);
}

/** Command lines of all processes, as `ps` shows them to everybody. */
function commandLines(): string {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map((entry) => {
      try {
        return readFileSync(`/proc/${entry}/cmdline`, "utf8");
      } catch {
        return ""; // ended meanwhile
      }
    })
    .join("\n");
}

function textOf(target: { port?: number; socketPath?: string; path: string }): Promise<string> {
  return new Promise((resolve) => {
    const asked = request({ host: "127.0.0.1", ...target, agent: false }, (response) => {
      let text = JSON.stringify(response.headers);
      response.setEncoding("latin1").on("data", (part: string) => (text += part));
      response.on("end", () => resolve(text));
      response.on("error", () => resolve(text));
    });
    asked.on("error", () => resolve(""));
    asked.end();
  });
}

/** A ClickHouse that knows nobody, and says so with all that it was told. */
async function unfriendlyStore(): Promise<{ url: string } & Disposable> {
  const server = createServer((asked, response) => {
    response.writeHead(403, { "x-clickhouse-exception-code": "516" });
    response.end(
      `Code: 516. DB::Exception: ${String(asked.headers["x-clickhouse-user"])}: Authentication failed: password is incorrect. (AUTHENTICATION_FAILED)`,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://weir:${CANARY}@127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.dispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

export function secretInputs(): readonly Input[] {
  return [
    {
      name: "secrets: the writer's token of a running store",
      expected: "in no answer of store, app and collector, no metric, no log, no command line",
      async throwAt(house: House) {
        const token = readFileSync(join(house.store.dataDir, "run", "writer.token"), "utf8").trim();
        const secrets = [token];
        for (const path of [
          "/metrics",
          "/readyz",
          "/healthz",
          "/api/status",
          "/api/health",
          "/map",
          "/api/flows?q=%",
          "/run/writer.token",
        ])
          without(`the app's ${path}`, await textOf({ port: house.appPort, path }), secrets);
        for (const path of [
          "/metrics",
          "/readyz",
          "/?query=SELECT%20*%20FROM%20system.settings%20FORMAT%20TSV",
          "/?query=SELECT%20*%20FROM%20system.processes%20FORMAT%20TSV",
          "/?query=nonsense",
          "/?user=writer&password=wrong&query=SELECT%201",
        ])
          without(`the store's ${path}`, await textOf({ port: house.storePort, path }), secrets);
        without("the app's log", house.app.said(), secrets);
        without("a command line", commandLines(), secrets);
      },
    },
    {
      name: "secrets: the password of a ClickHouse that refuses it",
      expected: "in no word of app and collector, no answer, no metric, no command line",
      alone: true,
      async throwAt(house) {
        using store = await unfriendlyStore();
        const env = {
          WEIR_DATA_DIR: join(house.folder, "secret"),
          WEIR_CLICKHOUSE_URL: store.url,
          WEIR_METRICS_PORT: "off",
          WEIR_COLLECTOR_SOCKET: "",
          WEIR_LOG: "debug",
          WEIR_PORT: "0",
        };
        await using collector = start(
          WEIR,
          ["collect", "--replay", join(import.meta.dirname, "../../scripts/demo/sample.weir")],
          env,
        );
        await using app = start(WEIR, ["serve"], env);
        await app.untilSays(/the screens are at/);
        await collector.untilSays(/does not take rows|password is wrong|wait/);
        const port = Number(/127\.0\.0\.1:(\d+)/.exec(app.said())![1]);
        for (const path of ["/metrics", "/readyz", "/api/status", "/api/flows", "/api/health"])
          without(`the app's ${path}`, await textOf({ port, path }), [CANARY]);
        const socketPath = join(house.folder, "secret", "run", "collector.sock");
        for (const path of ["/health", "/metrics", "/readyz"])
          without(`the collector's ${path}`, await textOf({ socketPath, path }), [CANARY]);
        without("a command line", commandLines(), [CANARY]);
        without("the app's log", app.said(), [CANARY]);
        without("the collector's log", collector.said(), [CANARY]);
      },
    },
    {
      name: "secrets: a support bundle",
      expected: "neither the password nor the writer's token is in it, packed or said",
      async throwAt(house) {
        const token = readFileSync(join(house.store.dataDir, "run", "writer.token"), "utf8").trim();
        const path = join(house.folder, "bundle.tar.gz");
        const { stdout, stderr } = await weir(["doctor", "--bundle", path, "--with-addresses"], {
          ...house.env,
          WEIR_CLICKHOUSE_PASSWORD: CANARY,
        });
        without("what doctor says", stdout + stderr, [CANARY, token]);
        without("the bundle", gunzipSync(await readFile(path)).toString("latin1"), [CANARY, token]);
      },
    },
  ];
}
