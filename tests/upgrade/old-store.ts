/**
 * A store whose schema is that of an older build, where its sources are not to be had: this build's engine with the migrations up
 * to `--schema` alone, which are never edited once merged. Prints one JSON line when it listens, as the store does.
 */
import { parseArgs } from "node:util";
import { storeConfig } from "../../store/config.ts";
import { startEmbedded } from "../../store/embedded/server.ts";
import { migrate, migrations } from "../../store/migrate.ts";
import { openWriter } from "../../store/writer.ts";

const { values } = parseArgs({ options: { schema: { type: "string", default: "7" } } });
const config = storeConfig();
const { dataDir, storePort: port, database, engineMemory } = config;
const store = await startEmbedded({ dataDir, port, database, engineMemory });
const own = {
  ...config,
  embedded: true,
  url: store.url,
  user: "writer",
  password: store.writerToken,
  cluster: undefined,
};
await using writer = await openWriter(own);
const old = (await migrations()).filter((migration) => migration.version <= Number(values.schema));
const version = await migrate(writer, own, old);
process.stdout.write(`${JSON.stringify({ ready: true, url: store.url, version, pid: process.pid })}\n`);
await new Promise<void>((resolve) => process.once("SIGTERM", resolve));
await store.close();
process.exit(0);
