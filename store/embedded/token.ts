import { join } from "node:path";

/** Where the writer's token of a data directory lies. */
export function tokenPath(dataDir: string): string {
  return join(dataDir, "run", "writer.token");
}
