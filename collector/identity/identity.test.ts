import fc from "fast-check";
import { expect, test } from "vitest";
import { parseAddress } from "../../model/address.ts";
import { cgroupFacts, Cgroups, cgroup2Mount } from "./cgroups.ts";
import { hashLabels, Identities, IdentityCollision } from "./identities.ts";
import { AddressIntervals, BETWEEN_OWNERS } from "./intervals.ts";
import { InventoryIndex } from "./inventory-index.ts";
import { parseInventory } from "./inventory.ts";
import { DnsNames } from "./names.ts";
import { parseDevices, parseFibTrie, parseIfInet6, type NetnsView } from "./netns.ts";
import { parseSockets } from "./process-view.ts";
import { visibleText } from "./visible-text.ts";
import { Who } from "./who.ts";
import { WordTable } from "./word-table.ts";

const words = (text: string) => new Uint32Array(Uint8Array.from(parseAddress(text)!).buffer);
function commWords(text: string): Uint32Array {
  const bytes = new Uint8Array(16);
  bytes.set(Buffer.from(text).subarray(0, 15));
  return new Uint32Array(bytes.buffer);
}
const HOST = 4026531840;
const WEB = 4026532001;
const CART = 4026532002;
const view = (inode: number, name: string, ...addresses: string[]): NetnsView => ({
  inode,
  name,
  pid: 1,
  addresses: new Uint32Array(addresses.flatMap((each) => [...words(each)])),
  listeners: [],
  devices: new Map(),
});

function makeWho(
  inventory = "",
  views: NetnsView[] = [view(HOST, "", "192.0.2.1"), view(WEB, "web", "10.1.0.2"), view(CART, "cart", "10.1.0.3")],
): Who {
  const who = new Who(
    { node: "n1", hostNetns: HOST, observes: () => true },
    new Identities(),
    Cgroups.recorded(
      new Map([
        [77, "/system.slice/nginx.service"],
        [78, `/system.slice/docker-${"ab".repeat(32)}.scope`],
        [79, "/user.slice/user-0.slice/session-3.scope"],
      ]),
    ),
  );
  if (inventory !== "") who.setInventory(new InventoryIndex(parseInventory(inventory, "i.yaml")), -Infinity);
  who.update(views, new Map(), 1e18);
  return who;
}
const nameOf = (who: Who, party: number) => {
  const { identity, endpoint, name } = who.identities.at(party);
  return [identity.namespace, identity.workload, endpoint, name].join("/");
};

test("an identity's id is the same in every run: a golden value", () => {
  expect(hashLabels({ "host:name": "n1", "host:unit": "nginx.service" }).toString()).toBe("1776439755822843024");
  expect(hashLabels({ b: "2", a: "1" })).toBe(hashLabels({ a: "1", b: "2" }));
});

test("two sets of labels with one hash are refused, and so is a hash among the reserved numbers", () => {
  const same = new Identities(() => 4711n);
  same.identity("workload", "", "ns", "a", { a: "" });
  expect(() => same.identity("workload", "", "ns", "b", { b: "" })).toThrow(IdentityCollision);
  expect(() => new Identities(() => 7n).identity("workload", "", "ns", "a", { a: "" })).toThrow(/reserved/);
});

test("the near end of a plain Linux machine has a readable name", () => {
  const who = makeWho();
  const near = (netns: number, cgroup: number, name: string) =>
    nameOf(who, who.near(netns, cgroup, 0, name === "" ? undefined : commWords(name), 0, 0, 0, 6, 1e18));
  expect(near(HOST, 77, "nginx")).toBe("n1/nginx//");
  expect(near(HOST, 78, "redis-server")).toBe(`n1/abababababab/abababababab/`);
  expect(near(HOST, 79, "curl")).toBe("n1/curl//");
  expect(near(WEB, 0, "node")).toBe("n1/web//");
  expect(near(HOST, 0, "")).toBe("/host/n1/");
});

test("the inventory goes before what the machine says, the narrower selector before the wider", () => {
  const who = makeWho(
    "entries:\n  - { unit: nginx.service, namespace: edge, workload: proxy }\n  - { netns: web, namespace: shop, workload: web, endpoint: web-0 }\n  - { process: psql, namespace: db, workload: client }\n  - { cidr: 203.0.113.0/24, workload: crawler, kind: outside }\n",
  );
  const near = (netns: number, cgroup: number, name: string) =>
    nameOf(who, who.near(netns, cgroup, 0, commWords(name), 0, 0, 0, 6, 1e18));
  expect(near(WEB, 77, "nginx")).toBe("edge/proxy/web/");
  expect(near(WEB, 0, "psql")).toBe("shop/web/web-0/");
  expect(near(HOST, 0, "psql")).toBe("db/client//");
  expect(nameOf(who, who.far(HOST, words("203.0.113.9"), 0, 443, 6, 1e18))).toBe("/crawler//");
  expect(nameOf(who, who.far(HOST, words("10.1.0.2"), 0, 8080, 6, 1e18))).toBe("shop/web/web-0/");
});

test("a far end on the same machine is whoever listens there; on loopback, in the namespace that asked", () => {
  const who = makeWho();
  who.update(
    [view(HOST, "", "192.0.2.1"), view(WEB, "web", "10.1.0.2")],
    new Map([
      [`${HOST} 6 5432`, { pid: 9, comm: "postgres", cgroup: cgroupFacts("") }],
      [`${HOST} 6 80`, { pid: 10, comm: "nginx", cgroup: cgroupFacts("/system.slice/nginx.service") }],
    ]),
    1e18,
  );
  const far = (observer: number, address: string, port: number) =>
    nameOf(who, who.far(observer, words(address), 0, port, 6, 1e18 + 1));
  expect(far(WEB, "192.0.2.1", 5432)).toBe("n1/postgres//");
  expect(far(WEB, "192.0.2.1", 80)).toBe("n1/nginx//");
  expect(far(WEB, "192.0.2.1", 81)).toBe("/host/n1/");
  expect(far(HOST, "127.0.0.1", 5432)).toBe("n1/postgres//");
  expect(far(WEB, "127.0.0.1", 5432)).toBe("n1/web//");
  expect(far(HOST, "::1", 80)).toBe("n1/nginx//");
});

test("outside addresses have the name that they were looked up by, else are the world", () => {
  const who = makeWho();
  const far = (address: string, ns: number) => nameOf(who, who.far(HOST, words(address), 0, 443, 6, ns));
  expect(far("198.51.100.7", 1e18)).toBe("/world//");
  who.names.learn(words("198.51.100.7"), 0, "api.example.com", 60, 1e12);
  expect(far("198.51.100.7", 1e18 + 1e9)).toBe("/api.example.com//api.example.com");
  expect(far("198.51.100.7", 1e18 + 86_400e9)).toBe("/world//");
});

test("names are bounded: the one used longest ago goes first", () => {
  const names = new DnsNames(3);
  for (const [i, address] of ["10.0.0.1", "10.0.0.2", "10.0.0.3"].entries())
    names.learn(words(address), 0, `n${i}`, 60, 0);
  expect(names.nameOf(words("10.0.0.1"), 0, 1)).toBe("n0");
  names.learn(words("10.0.0.4"), 0, "n3", 60, 0);
  expect(names.size).toBe(3);
  expect(names.nameOf(words("10.0.0.2"), 0, 1)).toBe("");
  expect(names.nameOf(words("10.0.0.1"), 0, 1)).toBe("n0");
});

test("an inventory holds from when it was read: earlier events keep the earlier name", () => {
  const who = makeWho("entries:\n  - { address: 10.9.9.9, workload: old }\n");
  who.setInventory(
    new InventoryIndex(parseInventory("entries:\n  - { address: 10.9.9.9, workload: new }\n", "i.yaml")),
    2e18,
  );
  expect(nameOf(who, who.far(HOST, words("10.9.9.9"), 0, 80, 6, 1.9e18))).toBe("/old//");
  expect(nameOf(who, who.far(HOST, words("10.9.9.9"), 0, 80, 6, 2.1e18))).toBe("/new//");
  expect(nameOf(who, who.far(HOST, words("10.9.9.9"), 0, 80, 6, 1.9e18))).toBe("/old//");
});

test("an address that wanders between namespaces is never given to the wrong one: 0 wrong, whatever the order of reports", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ stay: fc.integer({ min: 2, max: 40 }), netns: fc.integer({ min: 1, max: 4 }) }), {
        minLength: 1,
        maxLength: 12,
      }),
      fc.integer({ min: 0, max: 3 }),
      (moves, disorder) => {
        const address = words("10.1.0.9");
        const truth: { at: number; netns: number }[] = [];
        let at = 1000e9;
        for (const { stay, netns } of moves) for (let i = 0; i < stay; i++) truth.push({ at: (at += 1e9), netns });
        const intervals = new AddressIntervals();
        // reports of different CPUs come a few places late; a look-up comes after what it is about has settled
        const reports = truth
          .map((each, i) => ({ ...each, order: i + (i % 3) * disorder }))
          .toSorted((a, b) => a.order - b.order);
        for (const report of reports) intervals.prove(address, 0, report.netns, report.at);
        const wrong = truth.filter((each) => {
          const owner = intervals.owner(address, 0, each.at);
          return owner !== each.netns && owner !== BETWEEN_OWNERS;
        });
        // only the last KEPT intervals are remembered: what is older is answered by the oldest known, so compare from there on
        const oldest = [...intervals.all()][0]!.intervals[0]!.from;
        expect(wrong.filter((each) => each.at >= oldest)).toEqual([]);
      },
    ),
    { numRuns: 300 },
  );
});

test("between two owners nobody is named, before the first it is the first, after the last it is the last", () => {
  const intervals = new AddressIntervals();
  const address = words("10.1.0.9");
  intervals.prove(address, 0, 1, 100e9);
  intervals.prove(address, 0, 1, 200e9);
  intervals.prove(address, 0, 2, 300e9);
  expect([50e9, 150e9, 250e9, 300e9, 900e9].map((at) => intervals.owner(address, 0, at))).toEqual([
    1,
    1,
    BETWEEN_OWNERS,
    2,
    2,
  ]);
  intervals.end(address, 0, 2, 400e9);
  expect(intervals.owner(address, 0, 900e9)).toBe(BETWEEN_OWNERS);
  expect(intervals.owner(words("10.1.0.10"), 0, 1)).toBe(0);
});

test("an address that isolated networks share names nobody, and costs nothing more", () => {
  const intervals = new AddressIntervals();
  const address = words("192.168.0.1");
  for (let i = 0; i < 200; i++) intervals.prove(address, 0, 1 + (i % 2), 1e18 + i * 1e6);
  expect(intervals.owner(address, 0, 1e18 + 50e6)).toBe(BETWEEN_OWNERS);
  const { epoch } = intervals;
  for (let i = 0; i < 200; i++) intervals.prove(address, 0, 1 + (i % 2), 1.1e18 + i * 1e6);
  expect(intervals.epoch).toBe(epoch);
});

test("a word table behaves as a map that forgets what is not used", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom("put", "get", "remove"), fc.integer({ min: 0, max: 40 })), { maxLength: 300 }),
      (steps) => {
        const table = new WordTable(2, 1, 1, 64);
        const twin = new Map<number, number>();
        const key = new Uint32Array(2);
        steps.forEach(([step, k], i) => {
          key[0] = k;
          key[1] = k * 7;
          if (step === "put") {
            const slot = table.insert(key);
            table.words[slot] = i;
            table.doubles[slot] = i / 2;
            twin.set(k, i);
          } else if (step === "remove") {
            table.remove(key);
            twin.delete(k);
          } else {
            const slot = table.find(key);
            expect(slot < 0 ? undefined : table.words[slot]).toBe(twin.get(k));
            if (slot >= 0) expect(table.doubles[slot]).toBe(twin.get(k)! / 2);
          }
        });
      },
    ),
  );
  const table = new WordTable(1, 1, 0, 64);
  for (let i = 0; i < 10_000; i++) {
    table.words[table.insert(Uint32Array.of(i))] = i;
    expect(table.find(Uint32Array.of(0)) >= 0).toBe(true); // in use: kept
  }
  expect(table.size).toBeLessThanOrEqual(128 * 2);
});

test("a word table has the size of what it holds, however much comes and goes, and grows without forgetting", () => {
  const table = new WordTable(1, 1, 0, 50_000);
  const key = new Uint32Array(1);
  for (let i = 0; i < 100_000; i++) {
    key[0] = i;
    const slot = table.insert(key); // before `words`: an insert may put another array there
    table.words[slot] = i;
    if (i >= 100) {
      key[0] = i - 100;
      table.remove(key);
    }
  }
  expect({ held: table.size, slots: table.words.length }).toEqual({ held: 100, slots: 1024 });
  for (let i = 200_000; i < 250_000; i++) {
    key[0] = i;
    const slot = table.insert(key);
    table.words[slot] = i;
  }
  for (let i = 200_000; i < 250_000; i++) {
    key[0] = i;
    const slot = table.find(key);
    expect(table.words[slot]).toBe(i);
  }
  expect(table.evicted).toBe(0);
});

test.each([
  ["/system.slice/nginx.service", "nginx.service", ""],
  ["/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.service", "app-x.service", ""],
  ["/user.slice/user-1000.slice/user@1000.service", "", ""],
  ["/user.slice/user-0.slice/session-3.scope", "", ""],
  [`/docker/${"0f".repeat(32)}`, "", "0f".repeat(32)],
  [`/kubepods.slice/kubepods-besteffort.slice/cri-containerd-${"1a".repeat(32)}.scope`, "", "1a".repeat(32)],
  [`/machine.slice/libpod-${"2b".repeat(32)}.scope/container`, "", "2b".repeat(32)],
  [`/kubepods/pod1/crio-${"3c".repeat(32)}.scope`, "", "3c".repeat(32)],
])("the cgroup %s says unit %j, container %j", (path, unit, container) => {
  expect(cgroupFacts(path)).toEqual({ path, unit, container });
});

test("the kernel's own files are read as they are", () => {
  const trie =
    "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 10.1.0.2\n        /32 host LOCAL\n     |-- 127.0.0.1\n        /32 host LOCAL\n     |-- 10.1.0.255\n        /32 link BROADCAST\n";
  expect(parseFibTrie(trie).map((each) => [...each.subarray(12)])).toEqual([[10, 1, 0, 2]]);
  expect(
    parseIfInet6(
      "fd010000000000000000000000000002 03 40 00 80 eth0\nfe800000000000000000000000000001 03 40 20 80 eth0\n",
    ),
  ).toHaveLength(1);
  const tcp =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 1 0 100 0 0 10 0\n   1: 0100007F:1F90 0100007F:9000 01 00000000:00000000 00:00000000 00000000     0        0 12346 1 0\n";
  expect(parseSockets(tcp, 6)).toEqual([{ protocol: 6, port: 8080, inode: 12345 }]);
  expect([
    ...parseDevices(
      "Idx\tDevice    : Count Querier\n1\tlo        :     1      V3\n3\teth0      :     2      V3\n",
      "fd010000000000000000000000000002 04 40 00 80     eth1\n",
    ),
  ]).toEqual([
    [1, "lo"],
    [3, "eth0"],
    [4, "eth1"],
  ]);
  expect(
    cgroup2Mount(
      "24 1 0:22 / /sys rw - sysfs sysfs rw\n35 24 0:31 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw\n",
    ),
  ).toBe("/sys/fs/cgroup/unified");
});

test("hidden characters of strangers become visible", () => {
  expect(visibleText("a\u001b[31mred\u202e\u200b\n")).toBe("a\\x1b[31mred\\u{202e}\\u{200b}\\x0a");
  expect(visibleText("größe 漢字 😀")).toBe("größe 漢字 😀");
  expect(visibleText("x".repeat(300), 10)).toBe(`${"x".repeat(9)}…`);
});
