/**
 * What the programs say to each other. Requests carry the size of the answer that is wanted; an answer is exactly that long,
 * so the client needs no parser. `http` looks like HTTP/1.1 (and is), `frames` like a database's length-prefixed messages.
 */
export type Speech = "http" | "frames";

export interface Request {
  /** Bytes of the answer. */
  readonly down: number;
  /** The server is to reset the connection instead. */
  readonly reset: boolean;
}

const FILLER = Buffer.alloc(64 << 10, "weir ");
const HEAD_END = Buffer.from("\r\n\r\n");
/** A frame: length of the whole request, length of the answer, both u32 big endian. */
const FRAME_HEAD = 8;

/** A request of `up` bytes (more if its head needs more) for an answer of `down`. */
export function requestOf(speech: Speech, up: number, down: number, reset: boolean): Buffer {
  if (speech === "frames") {
    const frame = Buffer.from(FILLER.subarray(0, Math.max(FRAME_HEAD, up)));
    frame.writeUInt32BE(frame.length, 0);
    frame.writeUInt32BE(down, 4);
    return frame;
  }
  const head = (body: number) =>
    `POST /shop HTTP/1.1\r\nhost: shop\r\nx-answer: ${down}\r\nx-then: ${reset ? "reset" : "answer"}\r\ncontent-length: ${digits(body)}\r\n\r\n`;
  const body = Math.max(0, up - head(0).length);
  return Buffer.concat([Buffer.from(head(body), "latin1"), FILLER.subarray(0, body)]);
}

/** An answer of exactly `down` bytes. */
export function answerOf(speech: Speech, down: number): Buffer {
  if (speech === "frames") return FILLER.subarray(0, down);
  const head = (body: number) => `HTTP/1.1 200 OK\r\ncontent-length: ${digits(body)}\r\n\r\n`;
  const body = Math.max(0, down - head(0).length);
  return Buffer.concat([Buffer.from(head(body), "latin1"), FILLER.subarray(0, body)]).subarray(0, down);
}

/** Cuts a connection's bytes into requests. */
export class RequestReader {
  readonly #speech: Speech;
  #waiting: Buffer = Buffer.alloc(0);

  constructor(speech: Speech) {
    this.#speech = speech;
  }

  /** Takes what arrived and returns the requests that are now whole. */
  push(bytes: Buffer): Request[] {
    this.#waiting = this.#waiting.length === 0 ? bytes : Buffer.concat([this.#waiting, bytes]);
    const requests: Request[] = [];
    for (;;) {
      const next = this.#speech === "frames" ? frameIn(this.#waiting) : httpIn(this.#waiting);
      if (next === undefined || next.length > this.#waiting.length) return requests;
      requests.push(next);
      this.#waiting = this.#waiting.subarray(next.length);
    }
  }
}

function frameIn(bytes: Buffer): (Request & { length: number }) | undefined {
  if (bytes.length < FRAME_HEAD) return undefined;
  return { length: Math.max(FRAME_HEAD, bytes.readUInt32BE(0)), down: bytes.readUInt32BE(4), reset: false };
}

function httpIn(bytes: Buffer): (Request & { length: number }) | undefined {
  const end = bytes.indexOf(HEAD_END);
  if (end < 0) return undefined;
  const head = bytes.toString("latin1", 0, end);
  const field = (name: string) => Number(new RegExp(`${name}: (\\d+)`).exec(head)?.[1] ?? 0);
  return {
    length: end + HEAD_END.length + field("content-length"),
    down: field("x-answer"),
    reset: head.includes("x-then: reset"),
  };
}

/** Leading zeros keep a head's length independent of the number in it; HTTP allows them. */
function digits(value: number): string {
  return String(value).padStart(6, "0");
}
