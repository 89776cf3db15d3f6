import { mkdirSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { NextConfig } from "next";

const distDir = process.env.NEXT_DIST_DIR ?? ".next";

/** Next rewrites the tsconfig that it is shown, for each distDir; so it gets one of its own, which git does not see. */
function ownTsconfig(): string {
  const path = join(".weir", `tsconfig${distDir.replaceAll(/[^\w.-]/g, "-")}.json`);
  mkdirSync(".weir", { recursive: true });
  if (!existsSync(path)) writeFileSync(path, `{ "extends": "../tsconfig.json" }\n`);
  return path;
}

/**
 * Settings of the app's build. Types are checked by `tsc` and code by `oxlint`, once for the whole house, so the build
 * does neither. `NEXT_DIST_DIR` lets several builds stand side by side.
 */
const config: NextConfig = {
  distDir,
  typedRoutes: true,
  reactStrictMode: true,
  poweredByHeader: false,
  serverExternalPackages: ["@clickhouse/client", "koffi", "chdb", "pino"],
  typescript: { ignoreBuildErrors: true, tsconfigPath: ownTsconfig() },
  experimental: { optimizePackageImports: ["d3", "lucide-react", "radix-ui"] },
  devIndicators: false,
};

export default config;
