/** The development loop: pages reload when a file changes. `node app/dev.ts`, with the settings of `weir serve`. */
import { appConfig } from "./config.ts";
import { serveApp } from "./server.ts";

const app = await serveApp(appConfig(), { dev: true });
process.stdout.write(`http://127.0.0.1:${app.port}\n`);
