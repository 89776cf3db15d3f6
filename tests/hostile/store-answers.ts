/** A store that answers with garbage: what the app's reader makes of it. Each is a StoreError in one sentence, in bounded memory. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import { WeirError } from "../../model/errors.ts";
import { storeConfig } from "../../store/config.ts";
import { openReader } from "../../store/reader.ts";
import { residentBytes } from "./house.ts";
import { expectThat, type Input } from "./table.ts";

const HEAD = { "x-clickhouse-summary": "{}", "content-type": "application/x-ndjson" };
const ok =
  (body: string | Buffer) =>
  (response: ServerResponse): void =>
    void response.writeHead(200, HEAD).end(body);

/** Writes `part` for ever, as fast as it is read. */
const endless =
  (part: string) =>
  (response: ServerResponse): void => {
    response.writeHead(200, HEAD);
    const more = (): void => {
      while (!response.destroyed && response.write(part));
    };
    response.on("drain", more);
    more();
  };

/** `fails`: a StoreError must come; else an answer without rows is right, too. */
const ANSWERS: readonly (readonly [name: string, answer: (response: ServerResponse) => void, fails: boolean])[] = [
  ["an empty 200 of somebody else", (response) => void response.writeHead(200).end(), true],
  [
    "a page",
    (response) =>
      void response.writeHead(200, { "content-type": "text/html" }).end("<html><script>1</script></html>\n"),
    true,
  ],
  ["a page with ClickHouse's headers", ok("<html>\n"), true],
  ["a row cut in the middle", ok('{"n":1}\n{"n":'), true],
  ["a column of the wrong type", ok('{"n":"x"}\n'), true],
  ["a row that is an array", ok("[1]\n"), true],
  ["null", ok("null\n"), true],
  ["__proto__ for a row", ok('{"__proto__":{"polluted":1},"n":1}\n'), false],
  [
    "an exception behind rows of a 200",
    ok('{"n":1}\nCode: 241. DB::Exception: Memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)\n'),
    true,
  ],
  ["bytes that are no UTF-8", ok(Buffer.from([0x7b, 0xff, 0xfe, 0x0a])), true],
  [
    "an exception of 1 MB",
    (response) =>
      void response
        .writeHead(500, { "x-clickhouse-exception-code": "241" })
        .end(`Code: 241. DB::Exception: ${"x".repeat(1 << 20)}`),
    true,
  ],
  ["a 500 without a word", (response) => void response.writeHead(500).end(), true],
  [
    "a redirect elsewhere",
    (response) => void response.writeHead(302, { location: "http://169.254.169.254/" }).end(),
    true,
  ],
  [
    "a reset in the middle",
    (response) => {
      response.writeHead(200, HEAD);
      response.write('{"n":1}\n');
      setTimeout(() => response.destroy(), 20);
    },
    true,
  ],
  ["a row without an end", endless("a".repeat(1 << 20)), true],
  ["rows without an end", endless('{"n":1}\n'.repeat(10_000)), true],
];

const Row = z.object({ n: z.number() });

export function storeAnswerInputs(): readonly Input[] {
  return ANSWERS.map(([name, answer, fails]) => ({
    name: `store answers: ${name}`,
    expected: "a StoreError in one sentence, and memory stays bounded",
    alone: true,
    long: name === "rows without an end", // it takes its time to have too many
    async throwAt() {
      const server = createServer((_request, response) => answer(response));
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      await using reader = openReader(
        storeConfig({ WEIR_CLICKHOUSE_URL: url, WEIR_CLICKHOUSE_PASSWORD: "hunter2-canary" }),
      );
      const before = residentBytes(process.pid);
      try {
        const rows = await reader.rows({ sql: "SELECT 1 AS n", row: Row }, {}, AbortSignal.timeout(60_000));
        expectThat(!fails, `it gave ${rows.length} rows`);
      } catch (thrown) {
        expectThat(thrown instanceof WeirError, `no StoreError: ${String(thrown).slice(0, 300)}`);
        const { message } = thrown as WeirError;
        expectThat(message.length < 1000, `a sentence of ${message.length} characters`);
        expectThat(!message.includes("hunter2-canary"), "the password is in the sentence");
      } finally {
        server.closeAllConnections();
        server.close();
      }
      expectThat(!("polluted" in {}), "Object.prototype was changed");
      const grown = residentBytes(process.pid) - before;
      expectThat(grown < 700 << 20, `it grew by ${grown >> 20} MiB`);
    },
  }));
}
