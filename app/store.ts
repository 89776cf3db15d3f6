import { storeConfig } from "../store/config.ts";
import { openReader, type StoreReader } from "../store/reader.ts";

const KEY = Symbol.for("weir.app.reader");

/** The app's one reader: routes are bundled one by one, so a module's own variable would be one connection pool each. */
export function storeReader(): StoreReader {
  const shared = globalThis as { [KEY]?: StoreReader };
  shared[KEY] ??= openReader(storeConfig());
  return shared[KEY];
}
