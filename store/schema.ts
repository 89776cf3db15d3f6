/** Whether the store's schema is the one that this version reads and writes. Asked by /readyz and before rows are sent; nothing is changed. */
import { z } from "zod";
import type { StoreConfig } from "./config.ts";
import { migrations } from "./migrate.ts";
import { openReader, storeVersion, type StoreReader } from "./reader.ts";
import { StoreError } from "./errors.ts";

export interface SchemaState {
  /** `newer`: of a later Weir, whose tables have all that this one asks for, and more. `older`: not migrated yet. */
  readonly state: "right" | "older" | "newer" | "none";
  /** Highest migration that was applied; 0 = none. */
  readonly has: number;
  /** Highest migration that this version brings. */
  readonly needs: number;
  /** Of the server. */
  readonly version: string;
  /** One sentence without a full stop. */
  readonly says: string;
}

const Applied = z.object({ has: z.coerce.number() });

/** Asks the store for its version and its schema's. Throws StoreError when it does not answer. */
export async function schemaState(reader: StoreReader, signal: AbortSignal): Promise<SchemaState> {
  const version = await storeVersion(reader, signal);
  const needs = (await migrations()).at(-1)?.version ?? 0;
  let has = 0;
  try {
    const [row] = await reader.rows(
      { sql: "SELECT max(version) AS has FROM schema_migrations LIMIT 1", row: Applied },
      {},
      signal,
    );
    has = row?.has ?? 0;
  } catch (thrown) {
    if (!(thrown instanceof StoreError) || thrown.code !== "store-no-schema") throw thrown;
  }
  const state = has === 0 ? "none" : has < needs ? "older" : has > needs ? "newer" : "right";
  const says = {
    right: `schema ${has}`,
    none: "there are no tables of Weir; weir store migrate makes them",
    older: `schema ${has} is older than this version's ${needs}; weir store migrate brings it up to date`,
    newer: `schema ${has} is of a newer Weir than this one, which knows ${needs}; update this one`,
  }[state];
  return { state, has, needs, version, says };
}

/** Longest wait for an answer about the schema. */
const WITHIN_MS = 10_000;

/** Resolves when rows of this version can be written to `config`'s store. Throws StoreError `store-old-schema` while it cannot, with what to do. */
export async function requireSchema(config: StoreConfig): Promise<void> {
  await using reader = openReader(config);
  const { state, says } = await schemaState(reader, AbortSignal.timeout(WITHIN_MS));
  if (state === "right" || state === "newer") return;
  throw new StoreError({ code: "store-old-schema", where: config.url, what: says });
}
