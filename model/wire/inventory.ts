import { z } from "zod";

/** How an entry is drawn on the map, and (for `outside` and `service`) what kind of identity it is. */
export const INVENTORY_KINDS = ["workload", "datastore", "gateway", "infra", "outside", "service"] as const;
export type InventoryKind = (typeof INVENTORY_KINDS)[number];

/** What says whom an entry is about: exactly one, save that `netns`, `container`, `cgroup` and `unit` may name their `addresses` too. */
export const SELECTORS = ["netns", "container", "cgroup", "unit", "process", "address", "addresses", "cidr"] as const;
export type Selector = (typeof SELECTORS)[number];

const name = (what: string) =>
  z
    .string(`expected ${what}`)
    .max(253, "expected at most 253 characters")
    .regex(
      // oxlint-disable-next-line no-control-regex -- they are what is looked for
      /^[^\u0000-\u001f\u007f\u200e\u200f\u202a-\u202e\u2066-\u2069]*$/,
      "expected no control or direction characters",
    );

const text = (what: string) => name(what).min(1, `expected ${what}`);

export const InventoryPort = z.strictObject({
  name: name("a port's name").optional(),
  port: z.int("expected a port, 1–65535").min(1, "expected a port, 1–65535").max(65535, "expected a port, 1–65535"),
  protocol: z.enum(["TCP", "UDP", "SCTP"], "expected TCP, UDP or SCTP").default("TCP"),
});

export const InventoryBackend = z.strictObject({
  address: text("an address"),
  port: z.int("expected a port, 1–65535").min(1).max(65535).optional(),
});

/** One entry of `entries:`. Addresses and blocks are checked by the reader (collector/identity/inventory.ts), which knows where they stand. */
export const InventoryEntry = z.strictObject({
  netns: text("the name or inode number of a network namespace").or(z.int().positive()).optional(),
  container: text("the name of a container, or the beginning of its id").optional(),
  cgroup: text("a cgroup's path, /system.slice/x").optional(),
  unit: text("a systemd unit, nginx.service").optional(),
  process: text("a process name, at most 15 characters").optional(),
  address: text("an address").optional(),
  addresses: z
    .array(text("an address"), "expected a list of addresses")
    .min(1, "expected at least one address")
    .optional(),
  cidr: text("a block, 203.0.113.0/24").optional(),
  namespace: name("a namespace").default(""),
  workload: text("a workload's name"),
  kind: z.enum(INVENTORY_KINDS, `expected one of ${INVENTORY_KINDS.join(", ")}`).default("workload"),
  endpoint: name("an endpoint's name").optional(),
  labels: z.record(z.string().min(1).max(317), name("a label's value"), "expected labels, {app: web}").default({}),
  ports: z.array(InventoryPort, "expected a list of ports").default([]),
  /** True: an agent of ours reports this end itself, so the other end's report is not counted. Left out: true for namespaces of this machine. */
  observed: z.boolean("expected true or false").optional(),
  backends: z.array(InventoryBackend, "expected a list of {address, port}").default([]),
});
export type InventoryEntry = z.infer<typeof InventoryEntry>;

export const Inventory = z.strictObject({
  entries: z.array(InventoryEntry, "expected a list of entries"),
});
export type Inventory = z.infer<typeof Inventory>;
