import { createServer, type Server, type Socket } from "node:net";
import type { LedgerBook } from "./book.ts";
import { answerOf, RequestReader, type Speech } from "./talk.ts";

/** A TCP server of one port, IPv4 and IPv6, that can stop listening and start again while its connections go on. */
export class ShopServer {
  readonly #port: number;
  readonly #speech: Speech;
  readonly #label: string;
  readonly #book: LedgerBook;
  #server: Server | undefined;

  constructor(label: string, port: number, speech: Speech, book: LedgerBook) {
    this.#label = label;
    this.#port = port;
    this.#speech = speech;
    this.#book = book;
  }

  async listen(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer({ noDelay: true }, (socket) => this.#serve(socket));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ port: this.#port, host: "::", backlog: 511 }, resolve);
    });
  }

  /** From here on connects are refused; what is connected stays. */
  stopListening(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  #serve(socket: Socket): void {
    this.#book.add({
      kind: "accept",
      at: Date.now(),
      to: this.#label,
      port: this.#port,
      peer: socket.remoteAddress ?? "",
    });
    const reader = new RequestReader(this.#speech);
    socket.on("data", (bytes) => {
      for (const request of reader.push(bytes)) {
        if (request.reset) {
          socket.resetAndDestroy();
          return;
        }
        socket.write(answerOf(this.#speech, request.down));
      }
    });
    socket.on("error", () => socket.destroy()); // the client's ledger says how the connection ended
  }
}
