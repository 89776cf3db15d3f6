import { readFileSync } from "node:fs";

/** The CPUs of a list of the kernel (`0-3,8`), ascending. `possible` is what per-CPU maps have a slot for. */
export function cpuList(which: "online" | "possible"): number[] {
  return parseCpuList(readFileSync(`/sys/devices/system/cpu/${which}`, "latin1"));
}

export function parseCpuList(text: string): number[] {
  return text
    .trim()
    .split(",")
    .flatMap((range) => {
      const [first = 0, last = first] = range.split("-").map(Number);
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
}
