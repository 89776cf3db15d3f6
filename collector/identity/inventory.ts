/** The inventory file: who the addresses, namespaces, containers, units and processes of this machine are (docs/inventory.md). */
import { isMap, isPair, isScalar, isSeq, LineCounter, parseDocument, type Node } from "yaml";
import {
  formatAddress,
  formatCidr,
  parseAddress,
  parseCidr,
  type AddressBytes,
  type Cidr,
} from "../../model/address.ts";
import { WeirError, systemCode } from "../../model/errors.ts";
import { NotReadable, readRegular } from "../../store/read-regular.ts";
import { Inventory, SELECTORS, type InventoryEntry } from "../../model/wire/inventory.ts";

/** An entry with its addresses read and its place in the file. */
export interface KnownEntry {
  readonly entry: InventoryEntry;
  /** `inventory.yaml:12:5`. */
  readonly where: string;
  readonly addresses: readonly AddressBytes[];
  readonly cidr: Cidr | undefined;
}

/** All that is wrong with the file, one line each: `inventory.yaml:12:5 entries[3].ports[0].port: "http" …`. */
export class InventoryProblem extends WeirError {
  readonly problems: readonly string[];
  constructor(file: string, problems: readonly string[]) {
    const rest = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
    super({
      code: "inventory",
      what: `${problems[0] ?? `${file} cannot be read`}${rest}`,
      next: "correct the file; the last good one stays in use while weir runs",
    });
    this.problems = problems;
  }
}

/** Tens of thousands of entries. */
const MAX_BYTES = 16_000_000;

/** Reads and checks the file at `path`. Throws InventoryProblem with every fault's place. */
export async function readInventory(path: string): Promise<KnownEntry[]> {
  let text: string;
  try {
    text = (await readRegular(path, MAX_BYTES)).toString("utf8");
  } catch (cause) {
    const why = cause instanceof NotReadable ? cause.message : (systemCode(cause) ?? "unknown error");
    throw new InventoryProblem(path, [`${path}: cannot be read (${why})`]);
  }
  return parseInventory(text, path);
}

type Path = readonly (string | number)[];

/** The entries of an inventory in text. `file` is how messages name it. Throws InventoryProblem. */
export function parseInventory(text: string, file: string): KnownEntry[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    throw new InventoryProblem(
      file,
      document.errors.map(
        (error) => `${at(error.pos[0])}: ${error.message.split("\n")[0]!.replace(/ at line \d+, column \d+:?$/, "")}`,
      ),
    );
  }
  const place = (path: Path, ofKey = false) => at(nodeAt(document.contents, path, ofKey)?.range?.[0] ?? 0);
  const problems: string[] = [];
  const say = (path: Path, message: string, ofKey = false) =>
    problems.push(`${place(path, ofKey)} ${pathText(path)}: ${message}`);
  const raw: unknown = document.contents === null ? { entries: [] } : document.toJS({ maxAliasCount: 100 });
  const parsed = Inventory.safeParse(raw);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const path = issue.path.map((key) => (typeof key === "symbol" ? String(key) : key));
      if (issue.code === "unrecognized_keys")
        for (const key of issue.keys) say([...path, key], `${JSON.stringify(key)} is no field of an entry`, true);
      else say(path, `found ${shown(valueAt(raw, path))}; ${issue.message.replace(/^Invalid input: /, "")}`);
    }
    throw new InventoryProblem(file, problems);
  }
  const known = parsed.data.entries.map((entry, i) => {
    const path: Path = ["entries", i];
    const selectors = SELECTORS.filter((selector) => entry[selector] !== undefined);
    const near = selectors.filter((each) => each !== "address" && each !== "addresses");
    const far = selectors.length - near.length;
    if (selectors.length === 0) say(path, `says nobody: expected one of ${SELECTORS.join(", ")}`);
    else if (near.length > 1) say(path, `says ${near.join(" and ")}: expected one of them`);
    else if (far > 1) say(path, "says address and addresses: expected one of them");
    else if (near[0] === "cidr" && far > 0) say(path, "says cidr and addresses: expected one of them");
    const addresses: AddressBytes[] = [];
    const take = (value: string, where: Path) => {
      const address = parseAddress(value);
      if (address === undefined) say(where, `found ${shown(value)}; expected an address, 10.1.0.2 or fd01::2`);
      else addresses.push(address);
    };
    if (entry.address !== undefined) take(entry.address, [...path, "address"]);
    entry.addresses?.forEach((value, j) => take(value, [...path, "addresses", j]));
    entry.backends.forEach((backend, j) => {
      if (parseAddress(backend.address) === undefined)
        say([...path, "backends", j, "address"], `found ${shown(backend.address)}; expected an address`);
    });
    const cidr = entry.cidr === undefined ? undefined : parseCidr(entry.cidr);
    if (entry.cidr !== undefined && cidr === undefined)
      say([...path, "cidr"], `found ${shown(entry.cidr)}; expected a block, 203.0.113.0/24 or fd00::/8`);
    return { entry, where: place(path), addresses, cidr };
  });
  findOverlaps(known, (i, message) => say(["entries", i], message));
  if (problems.length > 0) throw new InventoryProblem(file, problems);
  return known;
}

/**
 * Two entries for one thing are refused, with both places. A service may share its address with others on other ports; a block
 * inside a block is no overlap (the longer one wins), the same block twice is.
 */
function findOverlaps(known: readonly KnownEntry[], say: (entry: number, message: string) => void): void {
  const taken = new Map<string, number>();
  const claim = (key: string, thing: string, i: number) => {
    const first = taken.get(key);
    if (first === undefined) taken.set(key, i);
    else if (first !== i)
      say(i, `${thing} belongs to ${known[first]!.entry.workload} already (${known[first]!.where})`);
  };
  known.forEach(({ entry, addresses, cidr }, i) => {
    const portsOf =
      entry.kind === "service" && entry.ports.length > 0
        ? entry.ports.map((port) => `:${port.port}/${port.protocol}`)
        : [""];
    for (const address of addresses)
      for (const port of portsOf)
        claim(`address ${formatAddress(address)}${port}`, `${formatAddress(address)}${port}`, i);
    if (cidr !== undefined) claim(`cidr ${formatCidr(cidr)}`, formatCidr(cidr), i);
    for (const selector of ["netns", "container", "cgroup", "unit", "process"] as const) {
      if (entry[selector] !== undefined) claim(`${selector} ${entry[selector]}`, `${selector} ${entry[selector]}`, i);
    }
  });
  // a service that takes all ports of an address collides with one that takes some
  known.forEach(({ entry, addresses }, i) => {
    if (entry.kind !== "service" || entry.ports.length === 0) return;
    for (const address of addresses) {
      const whole = taken.get(`address ${formatAddress(address)}`);
      if (whole !== undefined && whole !== i)
        say(
          i,
          `${formatAddress(address)} belongs to ${known[whole]!.entry.workload} already, with all its ports (${known[whole]!.where})`,
        );
    }
  });
}

/** The node at `path`, or the deepest there is on the way; `ofKey` = the key that leads to it. */
function nodeAt(root: unknown, path: Path, ofKey: boolean): Node | undefined {
  let node = root as Node | undefined;
  for (const [i, key] of path.entries()) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key);
      if (pair === undefined) return node;
      const value = (ofKey && i === path.length - 1 ? pair.key : (pair.value ?? pair.key)) as Node | undefined;
      node = value ?? node;
    } else if (isSeq(node)) node = (node.items[Number(key)] as Node | undefined) ?? node;
    else return node;
  }
  return node;
}

function valueAt(value: unknown, path: Path): unknown {
  for (const key of path)
    value = typeof value === "object" && value !== null ? (value as Record<string | number, unknown>)[key] : undefined;
  return value;
}

function pathText(path: Path): string {
  return (
    path.map((key, i) => (typeof key === "number" ? `[${key}]` : i === 0 ? key : `.${key}`)).join("") || "the file"
  );
}

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
