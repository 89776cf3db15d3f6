import { gzipSync } from "node:zlib";

export interface TarFile {
  /** Relative, at most 100 bytes. */
  readonly name: string;
  readonly text: string;
}

const BLOCK = 512;

/** A gzipped tar of small text files below `folder`, in POSIX's ustar format (pax(1), "ustar Interchange Format"). */
export function tarGz(folder: string, files: readonly TarFile[], mtimeMs: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { name, text } of files) {
    const body = Buffer.from(text, "utf8");
    parts.push(header(`${folder}/${name}`, body.length, mtimeMs), body, new Uint8Array(-body.length & (BLOCK - 1)));
  }
  parts.push(new Uint8Array(2 * BLOCK));
  return gzipSync(Buffer.concat(parts));
}

function header(name: string, size: number, mtimeMs: number): Uint8Array {
  if (Buffer.byteLength(name) > 100) throw new RangeError(`the name is too long for a tar: ${name}`);
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number): void => {
    block.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "latin1");
  };
  block.write(name, 0, "utf8");
  octal(0o600, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(Math.floor(mtimeMs / 1000), 136, 12);
  block.write("        0", 148, "latin1"); // the checksum's place counts as blanks; "0" = a regular file
  block.write("ustar\u000000", 257, "latin1");
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  return block;
}
