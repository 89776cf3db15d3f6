#!/usr/bin/env node
// Adds chdb's platform packages that some registries lack to package-lock.json, so that `npm ci` accepts the lockfile
// everywhere. npm leaves an optional package that it could not fetch out of the lock and then calls the lock out of sync.
//   node scripts/lock-platforms.mjs           repairs the lockfile
//   node scripts/lock-platforms.mjs --check   exits 1 when an entry is missing or a registry host got into the file
import { readFileSync, writeFileSync } from "node:fs";

const FILE = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(FILE, "utf8"));
const check = process.argv.includes("--check");
const chdb = lock.packages["node_modules/chdb"];
const problems = [];

for (const [name, version] of Object.entries(chdb.optionalDependencies ?? {})) {
  const key = `node_modules/${name}`;
  if (lock.packages[key] !== undefined) continue;
  const [, os, cpu, libc] = /lib-(\w+)-(\w+)(?:-(gnu))?$/.exec(name);
  problems.push(`${key} is missing`);
  lock.packages[key] = {
    version,
    cpu: [cpu],
    ...(libc === undefined ? {} : { libc: ["glibc"] }),
    license: "Apache-2.0",
    optional: true,
    os: [os],
  };
}
for (const [key, entry] of Object.entries(lock.packages)) {
  if (entry.resolved !== undefined) problems.push(`${key} names a registry host`);
}

if (check && problems.length > 0) {
  console.error(`package-lock.json: ${problems.join("; ")}. Run: node scripts/lock-platforms.mjs`);
  process.exit(1);
}
if (!check) {
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
}
