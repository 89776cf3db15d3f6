import { constants } from "node:fs";
import { open } from "node:fs/promises";

/** Why a path's content cannot be used; the sentence of `what`. */
export class NotReadable extends Error {}

/**
 * The bytes of a file that a person wrote or chose, at most `maxBytes`. Throws NotReadable for what is no file (a folder, a device, a pipe
 * that nobody writes to would be waited for without end) and for one that is larger; what open and read throw, else.
 */
export async function readRegular(path: string, maxBytes: number): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw new NotReadable("it is no file");
    if (facts.size > maxBytes) throw new NotReadable(`it is larger than ${Math.floor(maxBytes / 1e6)} MB`);
    const bytes = Buffer.alloc(facts.size + 1); // files of /proc say 0: they are read up to one byte and found empty
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read)
      ({ bytesRead: read } = await file.read(bytes, length, bytes.length - length, length));
    if (length > facts.size) throw new NotReadable("it grows while it is read");
    return bytes.subarray(0, length);
  } finally {
    await file.close();
  }
}
