import { collectorState } from "./collector.ts";
import type { ReadinessCheck } from "../model/wire/readiness.ts";
import type { StoreReader } from "../store/reader.ts";
import { schemaState } from "../store/schema.ts";

const WITHIN_MS = 3000;

/** What `/readyz` of the app looks at: its pages are there, and it can ask the store. A collector that is away is told and no reason to be not ready: history is still shown. */
export async function appChecks(
  hasPages: boolean,
  store: StoreReader,
  collectorSocket: string,
): Promise<readonly ReadinessCheck[]> {
  const pages: ReadinessCheck = {
    part: "pages",
    ready: hasPages,
    says: hasPages ? "built" : "they are being built or loaded",
  };
  const [storeCheck, collector] = await Promise.all([
    askStore(store),
    collectorState(collectorSocket, AbortSignal.timeout(WITHIN_MS)),
  ]);
  return [pages, storeCheck, { part: "collector", ready: true, says: `${collector.state}: ${collector.message}` }];
}

async function askStore(store: StoreReader): Promise<ReadinessCheck> {
  const part = "store";
  const { url } = store.config;
  try {
    const { state, version, says } = await schemaState(store, AbortSignal.timeout(WITHIN_MS));
    return {
      part,
      ready: state === "right" || state === "newer",
      says: `${url}, ClickHouse ${version}, ${says}`,
    };
  } catch (thrown) {
    if (thrown instanceof DOMException)
      return { part, ready: false, says: `${url}: no answer within ${WITHIN_MS / 1000} s` };
    return { part, ready: false, says: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}
