/** The store process: `weir store serve` and the supervisor run this file. Prints one JSON line when it listens, one sentence when it cannot. */
import { storeConfig } from "../config.ts";
import { migrate } from "../migrate.ts";
import { openWriter } from "../writer.ts";
import { WeirError } from "../../model/errors.ts";
import { startEmbedded } from "./server.ts";

try {
  const config = storeConfig();
  const store = await startEmbedded({
    dataDir: config.dataDir,
    port: config.storePort,
    database: config.database,
    engineMemory: config.engineMemory,
  });
  const own = {
    ...config,
    embedded: true,
    url: store.url,
    user: "writer",
    password: store.writerToken,
    cluster: undefined,
  };
  await using writer = await openWriter(own);
  const version = await migrate(writer, own);
  process.stdout.write(`${JSON.stringify({ ready: true, url: store.url, version, pid: process.pid })}\n`);
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve());
    process.once("disconnect", () => resolve()); // the supervisor died: end with it
  });
  await store.close();
  process.exit(0);
} catch (thrown) {
  if (!(thrown instanceof WeirError)) throw thrown;
  process.stderr.write(`${thrown.message}\n`);
  process.exit(2);
}
