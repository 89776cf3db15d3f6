/** Files in a link: deflated and written in the URL's own letters, behind the `#`, so that no server sees them. */

interface SharedFile {
  readonly name: string;
  readonly text: string;
  readonly inForce: boolean;
}

const MARK = "#drafts=";
/** Longer links are cut by mail and chat programs. */
export const MOST_LINK = 30_000;

/** The part of a link from `#` on. */
export async function shareHash(files: readonly SharedFile[]): Promise<string> {
  const json = new TextEncoder().encode(JSON.stringify(files.map(({ name, text, inForce }) => [name, text, inForce])));
  const packed = new Uint8Array(await new Response(through(json, new CompressionStream("deflate-raw"))).arrayBuffer());
  let binary = "";
  for (const byte of packed) binary += String.fromCharCode(byte);
  return MARK + btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** A link may unpack to this much, whatever it holds. */
const MOST_BYTES = 10 * 1024 * 1024;

/** The files of a link, or undefined where it has none or is damaged. */
export async function sharedDrafts(hash: string): Promise<readonly SharedFile[] | undefined> {
  if (!hash.startsWith(MARK)) return undefined;
  try {
    const binary = atob(hash.slice(MARK.length).replaceAll("-", "+").replaceAll("_", "/"));
    const packed = Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
    const reader = through(packed, new DecompressionStream("deflate-raw")).getReader();
    const chunks: Uint8Array[] = [];
    let size = 0;
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      size += part.value.length;
      if (size > MOST_BYTES) return undefined;
      chunks.push(part.value);
    }
    const files: unknown = JSON.parse(await new Blob(chunks as BlobPart[]).text());
    if (!Array.isArray(files)) return undefined;
    return files.flatMap((file: unknown): SharedFile[] =>
      Array.isArray(file) && typeof file[0] === "string" && typeof file[1] === "string"
        ? [{ name: file[0].slice(0, 100), text: file[1], inForce: file[2] === true }]
        : [],
    );
  } catch {
    return undefined; // cut or changed on the way
  }
}

function through(bytes: Uint8Array, transform: CompressionStream | DecompressionStream): ReadableStream<Uint8Array> {
  return new Blob([bytes as BlobPart])
    .stream()
    .pipeThrough(transform as ReadableWritablePair<Uint8Array, BufferSource>) as ReadableStream<Uint8Array>;
}
