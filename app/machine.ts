import { existsSync } from "node:fs";
import { hostname, release } from "node:os";
import packageJson from "../package.json" with { type: "json" };
import type { SystemStatus } from "../model/wire/answers/status.ts";

/** What this process can see of its machine without rights. */
export function machineFacts(): SystemStatus["machine"] {
  return {
    node: process.env["WEIR_NODE"] ?? hostname(),
    kernel: release(),
    btf: existsSync("/sys/kernel/btf/vmlinux"),
    uid: process.getuid?.() ?? -1,
  };
}

/** The version of this Weir. */
export const WEIR_VERSION: string = packageJson.version;
