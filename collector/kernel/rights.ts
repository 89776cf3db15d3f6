import { readFileSync } from "node:fs";
import { release } from "node:os";
import { KernelError } from "./libbpf.ts";

const CAPABILITIES = { NET_ADMIN: 12, SYS_ADMIN: 21, PERFMON: 38, BPF: 39 } as const; // include/uapi/linux/capability.h

/** The capabilities that observing needs and this process lacks. SYS_ADMIN stands in for BPF and PERFMON. */
export function missingCapabilities(status = readFileSync("/proc/self/status", "latin1")): string[] {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  const has = (bit: number) => ((effective >> BigInt(bit)) & 1n) === 1n;
  const all = has(CAPABILITIES.SYS_ADMIN);
  return [
    ...(has(CAPABILITIES.BPF) || all ? [] : ["BPF"]),
    ...(has(CAPABILITIES.PERFMON) || all ? [] : ["PERFMON"]),
    ...(has(CAPABILITIES.NET_ADMIN) ? [] : ["NET_ADMIN"]),
  ];
}

/** Throws KernelError `no-rights` or `old-kernel` when the programs cannot be loaded here. */
export function requireRights(): void {
  const [major = 0, minor = 0] = release()
    .split(".")
    .map((part) => Number.parseInt(part, 10));
  if (process.platform !== "linux" || major < 5 || (major === 5 && minor < 10)) {
    throw new KernelError({
      code: "old-kernel",
      what:
        process.platform === "linux"
          ? `this kernel (${release()}) is too old to be observed`
          : "only a Linux kernel can be observed",
      expected: "Linux 5.10 or newer; 5.17 for drop reasons, 6.6 for service back ends",
      next: "use a newer kernel, or replay a recorded sample",
    });
  }
  const missing = missingCapabilities();
  if (missing.length === 0) return;
  throw new KernelError({
    code: "no-rights",
    what: `this process may not observe the kernel: it lacks ${missing.map((name) => `CAP_${name}`).join(", ")}`,
    next: "run it as root, or give a service AmbientCapabilities=CAP_BPF CAP_PERFMON CAP_NET_ADMIN",
  });
}
