/**
 * Writes collector/decode/layout.gen.ts from the BTF of the BPF object: node scripts/build-bpf-layout.ts [--check]
 * `layoutText` is what the file has to be; a test compares.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { objectBtf, type Btf } from "../collector/kernel/btf.ts";

const OBJECT = fileURLToPath(new URL("../bpf/prebuilt/weir.bpf.o", import.meta.url));
export const LAYOUT_FILE = fileURLToPath(new URL("../collector/decode/layout.gen.ts", import.meta.url));

/** C struct → name in TypeScript. */
const EVENTS = {
  ev_common: "COMMON",
  ev_conn: "CONN",
  ev_drop: "DROP",
  ev_dns: "DNS",
  ev_conversation: "CONVERSATION",
  ev_nat: "NAT",
} as const;
const BYTES = {
  cpu_stats: "CPU_STATS",
  conversation_key: "CONVERSATION_KEY",
  conversation: "CONVERSATION_VALUE",
  drop_key: "DROP_KEY",
} as const;

/** The text of layout.gen.ts for an object's BTF. Throws when a struct is missing, or an event's field would not be readable by words. */
export function layoutText(btf: Btf): string {
  const blocks = [
    "// Made by: node scripts/build-bpf-layout.ts (from the BTF of bpf/prebuilt/weir.bpf.o, structs of bpf/events.h). Do not edit.",
    "",
    "/** Word (4-byte) offsets of event fields; fields smaller than a word: the word that holds them. `bytes` = length as sent, up to and with seq. */",
  ];
  for (const [struct, name] of Object.entries(EVENTS)) {
    const members = membersOf(btf, struct);
    const fields = members.map(({ name: field, offset }) => `  ${field}: ${offset >> 2},`);
    const seq = members.find(({ name: field }) => field === "seq");
    const bytes = seq === undefined ? 80 : seq.offset + 4;
    if (seq !== undefined && bytes % 8 !== 4)
      throw new Error(`struct ${struct} is sent with ${bytes} bytes: must be 4 mod 8`);
    blocks.push(`export const ${name} = {`, ...fields, `  bytes: ${bytes},`, "} as const;", "");
  }
  blocks.push("/** Byte offsets of what is read from maps; `bytes` = the struct's size. */");
  for (const [struct, name] of Object.entries(BYTES)) {
    const members = membersOf(btf, struct);
    blocks.push(
      `export const ${name} = {`,
      ...members.map(({ name: field, offset }) => `  ${field}: ${offset},`),
      `  bytes: ${btf.structBytes(struct)},`,
      "} as const;",
      "",
    );
  }
  return blocks.join("\n");
}

function membersOf(btf: Btf, struct: string) {
  const members = btf.members(struct);
  if (members === undefined) throw new Error(`the object has no struct ${struct}`);
  return members;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = layoutText(objectBtf(OBJECT));
  if (!process.argv.includes("--check")) writeFileSync(LAYOUT_FILE, text);
  else if (readFileSync(LAYOUT_FILE, "utf8") !== text) {
    process.stderr.write("layout.gen.ts is not what the object's BTF gives; run: node scripts/build-bpf-layout.ts\n");
    process.exitCode = 1;
  }
}
