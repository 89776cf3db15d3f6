/** Takes out of a text what must not leave the house: secrets always; addresses and names unless they are wanted. The same one gets the same stand-in. */
import { isIPv4, isIPv6 } from "node:net";

export interface Redaction {
  /** Passwords and tokens as they are written. */
  readonly secrets: readonly string[];
  /** Names of nodes, namespaces, workloads, pods, hosts. */
  readonly names: Iterable<string>;
  /** Texts that look like an address and are none: the engine's version. */
  readonly keep: readonly string[];
  readonly withAddresses: boolean;
}

const IPV4 = /(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\d)/g;
const IPV6 = /(?<![\w:.])(?:[0-9a-f]{0,4}:){2,7}(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9a-f]{0,4})(?![\w:])/gi;
const URL_HOST = /(\bhttps?:\/\/)([^\s/:@"'[\]]+)/g;
const WORD = /[\p{L}\p{N}_][\p{L}\p{N}_.@-]*/gu;
/** Addresses that are the same on every machine. */
const EVERYBODYS = new Set(["127.0.0.1", "0.0.0.0", "255.255.255.255", "::1", "::"]);
/** Names that every installation has: replaced, they would only hide what the text is about. */
const OURS = new Set([
  "",
  "weir",
  "store",
  "collector",
  "app",
  "localhost",
  "default",
  "kernel",
  "node",
  "world",
  "unknown",
  "host",
]);

export class Redactor {
  readonly #secrets: readonly string[];
  readonly #names = new Set<string>();
  readonly #odd: string[] = [];
  readonly #keep: ReadonlySet<string>;
  readonly #withAddresses: boolean;
  readonly #standIns = new Map<string, string>();

  constructor({ secrets, names, keep, withAddresses }: Redaction) {
    // The longest first: one may be part of another.
    this.#secrets = [...new Set(secrets)].filter((secret) => secret.length > 0).toSorted((a, b) => b.length - a.length);
    this.#keep = new Set(keep);
    this.#withAddresses = withAddresses;
    for (const name of names) {
      if (OURS.has(name) || /^\d+$/.test(name)) continue;
      if (name.match(WORD)?.[0] === name) this.#names.add(name);
      else this.#odd.push(name);
    }
    this.#odd.sort((a, b) => b.length - a.length);
  }

  /** What was taken out, for the bundle's own page. */
  get counts(): { readonly addresses: number; readonly names: number } {
    const all = [...this.#standIns.values()];
    return {
      addresses: all.filter((standIn) => standIn.startsWith("address-")).length,
      names: all.filter((standIn) => standIn.startsWith("name-")).length,
    };
  }

  /** The text but for its secrets: for what holds no names of anybody's. */
  withoutSecrets(text: string): string {
    let clean = text;
    for (const secret of this.#secrets) clean = clean.replaceAll(secret, "(hidden)");
    return clean;
  }

  text(text: string): string {
    let clean = this.withoutSecrets(text);
    if (this.#withAddresses) return clean;
    for (const name of this.#odd) clean = clean.replaceAll(name, () => this.#standIn("name", name));
    clean = clean
      .replaceAll(IPV6, (found) => (isIPv6(found) ? this.#address(found) : found))
      .replaceAll(IPV4, (found) => (isIPv4(found) ? this.#address(found) : found))
      .replaceAll(URL_HOST, (whole, scheme: string, host: string) =>
        EVERYBODYS.has(host) || OURS.has(host) || host.startsWith("address-")
          ? whole
          : `${scheme}${this.#standIn("name", host)}`,
      );
    return clean.replaceAll(WORD, (word) => this.#word(word));
  }

  #word(word: string): string {
    if (this.#names.has(word)) return this.#standIn("name", word);
    // A full stop of a sentence; web-0.shop.svc: its parts.
    if (!word.includes(".")) return word;
    return word
      .split(".")
      .map((part) => (this.#names.has(part) ? this.#standIn("name", part) : part))
      .join(".");
  }

  #address(found: string): string {
    const plain = found.toLowerCase();
    if (EVERYBODYS.has(plain) || this.#keep.has(found)) return found;
    return this.#standIn("address", plain);
  }

  #standIn(kind: "address" | "name", of: string): string {
    let standIn = this.#standIns.get(`${kind} ${of}`);
    if (standIn === undefined) {
      standIn = `${kind}-${this.#standIns.size + 1}`;
      this.#standIns.set(`${kind} ${of}`, standIn);
    }
    return standIn;
  }
}
