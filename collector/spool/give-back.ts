/** Smaller ones may lie in a buffer that others share (Buffer's pool), and are not worth it. */
const LEAST_BYTES = 128 * 1024;

/**
 * Gives the memory of `bytes` back at once: the garbage collector would first let 64 MB of it gather. Nobody may look at it afterwards; it
 * then is empty.
 */
export function giveBack(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && !buffer.detached && buffer.byteLength >= LEAST_BYTES) buffer.transfer(0);
}
