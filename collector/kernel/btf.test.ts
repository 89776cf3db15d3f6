import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { LAYOUT_FILE, layoutText } from "../../scripts/build-bpf-layout.ts";
import { dropReasons, kernelBtf, objectBtf, parseBtf } from "./btf.ts";
import { PREBUILT, isPrebuiltCurrent } from "./object.ts";
import { parseSymbols } from "./symbols.ts";
import { cgroupRoot } from "./attach.ts";
import { parseCpuList } from "./cpus.ts";
import { missingCapabilities } from "./rights.ts";

test("layout.gen.ts is what the object's BTF gives", () => {
  expect(readFileSync(LAYOUT_FILE, "utf8")).toBe(layoutText(objectBtf(PREBUILT)));
});

test("the committed object was made from the sources beside it", () => {
  expect(isPrebuiltCurrent(), "run scripts/build-bpf.sh and node scripts/build-bpf-layout.ts").toBe(true);
});

test("drop reasons of the running kernel have their names without the prefix", () => {
  const reasons = [...dropReasons(kernelBtf()).values()];
  expect(reasons).toContain("NETFILTER_DROP");
  expect(reasons).toContain("NO_SOCKET");
  expect(reasons).not.toContain("MAX");
});

test("bytes that are no BTF, or end too early, are refused", () => {
  expect(() => parseBtf(new Uint8Array(64))).toThrow(RangeError);
  const real = readFileSync("/sys/kernel/btf/vmlinux");
  expect(() => parseBtf(real.subarray(0, 2000))).toThrow(RangeError);
});

test("an address belongs to the function that starts before it, without the compiler's suffix", () => {
  const symbols = parseSymbols(
    Buffer.from(
      [
        "ffffffff81000000 T _stext",
        "ffffffff81000100 t tcp_v4_rcv",
        "ffffffff81000200 D data",
        "ffffffff81000300 t nft_do_chain.constprop.0",
        "ffffffffc0000000 t helper.isra.0\t[module]",
      ].join("\n"),
    ),
  );
  expect(symbols.nameOf(0x81000100, 0xffffffff)).toBe("tcp_v4_rcv");
  expect(symbols.nameOf(0x810002ff, 0xffffffff)).toBe("tcp_v4_rcv");
  expect(symbols.nameOf(0x81000310, 0xffffffff)).toBe("nft_do_chain");
  expect(symbols.nameOf(0xc0000010, 0xffffffff)).toBe("helper");
  expect(symbols.nameOf(0x80000000, 0xffffffff)).toBe(undefined);
  expect(parseSymbols(Buffer.from("0000000000000000 T hidden")).nameOf(1, 0)).toBe(undefined);
});

test("cgroup v2 is found where it is mounted, with blanks in its path", () => {
  const mounts =
    "tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\ncgroup2 /very/long\\040path/cgroup cgroup2 rw 0 0\n";
  expect(cgroupRoot(mounts)).toBe("/sys/fs/cgroup/unified");
  expect(cgroupRoot("tmpfs / tmpfs rw 0 0\n")).toBe(undefined);
  expect(cgroupRoot("none /my\\040cgroup cgroup2 rw 0 0")).toBe("/my cgroup");
});

test("lists of CPUs have holes", () => {
  expect(parseCpuList("0-2,5,8-9\n")).toEqual([0, 1, 2, 5, 8, 9]);
  expect(parseCpuList("0\n")).toEqual([0]);
});

test("CAP_SYS_ADMIN stands in for BPF and PERFMON, not for NET_ADMIN", () => {
  expect(missingCapabilities("CapEff:\t0000000000200000\n")).toEqual(["NET_ADMIN"]);
  expect(missingCapabilities("CapEff:\t0000000000000000\n")).toEqual(["BPF", "PERFMON", "NET_ADMIN"]);
  expect(missingCapabilities("CapEff:\t000001ffffffffff\n")).toEqual([]);
});
