import { expect, test } from "vitest";
import type { IdentitiesAnswer, TuplesAnswer } from "../model/wire/answers/flows.ts";
import type { TrafficAnswer } from "../model/wire/answers/what-if.ts";
import { basisOf, endText } from "./tuples.ts";
import { tuplesOfTraffic } from "./tuples-of-answers.ts";

const answered = { from: 0, to: 1000, by: "tuples_1h", truncated: false } as unknown as TuplesAnswer["answered"];
const identity = (id: string, kind: string, workload: string) =>
  ({
    id,
    kind,
    shape: "",
    namespace: kind === "workload" ? "shop" : "",
    workload,
    labels: { app: workload },
    firstSeen: 0,
    lastSeen: 1,
  }) as IdentitiesAnswer["identities"][number];
const row = (source: string, destination: string, more: Partial<TuplesAnswer["tuples"][number]> = {}) =>
  ({
    source,
    destination,
    sourceAddress: "",
    destinationAddress: "",
    destinationName: "",
    protocol: 6,
    port: 80,
    icmpType: 0,
    family: 4,
    direction: "egress",
    opened: 1,
    failed: 0,
    drops: 0,
    bytes: 0,
    firstSeen: 1,
    lastSeen: 2,
    sampleRow: "r1",
    ...more,
  }) as TuplesAnswer["tuples"][number];
const identities = {
  answered,
  identities: [
    identity("1000", "workload", "web"),
    identity("1001", "workload", "db"),
    identity("1", "reserved", "host"),
    identity("2000", "fqdn", "api.example.com"),
  ],
};

const tuplesOf = (tuples: TuplesAnswer["tuples"], more: Partial<TrafficAnswer> = {}) =>
  tuplesOfTraffic({
    tuples: { answered, tuples },
    identities,
    names: [],
    addresses: [],
    ports: [],
    books: { produced: 0, lost: 0 },
    ...more,
  });

test("both ends' reports of one connection are one tuple, counted once", () => {
  const set = tuplesOf([
    row("1000", "1001", { opened: 5 }),
    row("1000", "1001", { opened: 4, direction: "ingress", lastSeen: 9 }),
  ]);
  expect(set.tuples).toHaveLength(1);
  expect(set.tuples[0]).toMatchObject({ connections: 5, firstSeen: 1, lastSeen: 9, recorded: undefined, sample: "r1" });
  expect(set.identities.map(({ workload }) => workload)).toEqual(["web", "db"]);
});

test("outside ends are addresses, with their name where one is known; reserved ones are entities", () => {
  const set = tuplesOf([
    row("1000", "2000", { destinationAddress: "93.184.216.34" }),
    row("1000", "2", { destinationAddress: "8.8.8.8", destinationName: "dns.google" }),
    row("1", "1000"),
    row("1000", "0", { destinationAddress: "10.9.9.9" }),
  ]);
  expect(set.tuples.map(({ destination }) => destination)).toEqual([
    { kind: "address", address: "93.184.216.34", name: "api.example.com" },
    { kind: "address", address: "8.8.8.8", name: "dns.google" },
    { kind: "identity", id: "1000" },
    { kind: "address", address: "10.9.9.9", name: undefined },
  ]);
  expect(set.identities.find(({ id }) => id === "1")?.entity).toBe("host");
  expect(basisOf(set).unknownShare).toBe(0.25);
});

test("what was dropped and never opened is recorded as denied; a refusal got through", () => {
  const tuples = [
    row("1000", "1001", { opened: 0, failed: 1, drops: 3 }),
    row("1001", "1000", { opened: 0, failed: 1 }),
    row("1000", "1001", { protocol: 1, port: 0, icmpType: 8 }),
  ];
  const set = tuplesOf(tuples);
  expect(set.tuples.map(({ recorded, port }) => [recorded, port])).toEqual([
    ["denied", 80],
    [undefined, 80],
    [undefined, 8],
  ]);
});

test("an outside end without its address stands for each that is known, its connections shared out; else it is the world", () => {
  const inventory = (id: string, workload: string) => ({
    ...identity(id, "cidr", workload),
    labels: { "weir:namespace": "", "weir:workload": workload, "weir:kind": "outside" },
  });
  const tuples = [row("1000", "2000", { opened: 5 }), row("1000", "3000"), row("3001", "1000")];
  const set = tuplesOf(tuples, {
    identities: {
      answered,
      identities: [...identities.identities, inventory("3000", "10.42.9.7"), inventory("3001", "crawler")],
    },
    names: [{ name: "api.example.com", addresses: ["192.0.2.1", "2001:db8::1"] }],
  });
  expect(set.sharedOut).toBe(5);
  expect(basisOf(set).sharedOutShare).toBeCloseTo(5 / 7);
  expect(set.tuples.map(({ source, destination, connections }) => [source, destination, connections])).toEqual([
    [{ kind: "identity", id: "1000" }, { kind: "address", address: "192.0.2.1", name: "api.example.com" }, 3],
    [{ kind: "identity", id: "1000" }, { kind: "address", address: "2001:db8::1", name: "api.example.com" }, 2],
    [{ kind: "identity", id: "1000" }, { kind: "address", address: "10.42.9.7", name: undefined }, 1],
    [{ kind: "identity", id: "3001" }, { kind: "identity", id: "1000" }, 1],
  ]);
  const crawler = set.identities.find(({ workload }) => workload === "crawler");
  expect([crawler?.entity, crawler?.labels.size]).toEqual(["world", 0]); // Weir's own labels are none that a policy could name
});

test("rows of one direction add up: an identity that is called under several addresses is one tuple", () => {
  const set = tuplesOf([
    row("1000", "1", { opened: 5, destinationAddress: "10.0.0.1" }),
    row("1000", "1", { opened: 4, destinationAddress: "10.0.0.2" }),
    row("1000", "1", { opened: 3, direction: "ingress", destinationAddress: "10.0.0.1" }),
  ]);
  expect(set.tuples.map(({ connections }) => connections)).toEqual([9]);
});

test("IP versions are two tuples where an end has both, and one where none has", () => {
  const rows = [row("1000", "1001", { opened: 5 }), row("1000", "1001", { opened: 2, family: 6 })];
  const families = (addresses: string[]) =>
    tuplesOf(rows, { addresses: [{ id: "1001", addresses }] }).tuples.map((it) => [it.family, it.connections]);
  expect(families(["10.0.0.1", "fd00::1"])).toEqual([
    [4, 5],
    [6, 2],
  ]);
  expect(families(["10.0.0.1"])).toEqual([
    [undefined, 5],
    [6, 2],
  ]);
  expect(families([])).toEqual([[undefined, 7]]);
});

test("identities carry their addresses and port names; what the inventory calls an outside address is said beside it", () => {
  const crawler = { ...identity("3001", "cidr", "crawler"), labels: {} };
  const set = tuplesOf([row("3001", "1001", { sourceAddress: "203.0.113.7" })], {
    identities: { answered, identities: [...identities.identities, crawler] },
    addresses: [{ id: "1001", addresses: ["10.0.0.2"] }],
    ports: [{ id: "1001", ports: [{ name: "pg", port: 5432, protocol: "TCP" }] }],
  });
  expect(set.identities).toMatchObject([{ addresses: ["10.0.0.2"], ports: [{ name: "pg", port: 5432 }] }]);
  expect(set.tuples[0]!.source).toEqual({
    kind: "address",
    address: "203.0.113.7",
    name: undefined,
    called: "crawler",
  });
  expect(endText(set.tuples[0]!.source, new Map())).toBe("crawler (203.0.113.7)");
});

test("a service stands for the workload of its name, by the name of the port; without one it is nobody", () => {
  const service = (id: string, workload: string) => ({
    ...identity(id, "service", workload),
    namespace: "shop",
    labels: {},
  });
  const port = (number: number) => [{ name: "http", port: number, protocol: "TCP" }];
  const set = tuplesOf(
    [row("1000", "4000", { opened: 3 }), row("1000", "1001", { opened: 2, port: 8080 }), row("1000", "4001")],
    {
      identities: { answered, identities: [...identities.identities, service("4000", "db"), service("4001", "lone")] },
      ports: [
        { id: "4000", ports: port(80) },
        { id: "1001", ports: port(8080) },
      ],
    },
  );
  expect(set.tuples.map(({ destination, port: at, connections }) => [destination, at, connections])).toEqual([
    [{ kind: "identity", id: "1001" }, 8080, 5],
    [{ kind: "identity", id: "4001" }, 80, 1],
  ]);
  expect(set.identities.find(({ id }) => id === "4001")?.entity).toBe("service");
});

test("an outside name without any known address keeps its name", () => {
  const set = tuplesOf([row("1000", "2000")]);
  expect(endText(set.tuples[0]!.destination, new Map())).toBe("api.example.com");
});
