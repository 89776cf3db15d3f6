import { storeConfig, type Environment } from "../store/config.ts";
import { migrate } from "../store/migrate.ts";
import { openWriter } from "../store/writer.ts";

/** Applies what the store's schema lacks, under its lock, and gives its version. Throws StoreError, also on a newer schema. */
export async function migrateStore(env: Environment): Promise<number> {
  const config = storeConfig(env);
  await using writer = await openWriter(config);
  return migrate(writer, config);
}
