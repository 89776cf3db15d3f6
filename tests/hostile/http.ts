/** Bytes and questions by HTTP: at the app, at the store's port, at the collector's socket. */
import { connect, type Socket } from "node:net";
import { CANARY } from "./names.ts";
import { until, type House } from "./house.ts";
import { expectThat, type Input, type Size } from "./table.ts";

/** What came back on a connection: the first status, 0 when it was closed without one; head and body as text. */
interface Raw {
  readonly status: number;
  readonly text: string;
}

type Door = "app" | "store" | "collector";

/** Sends bytes and reads until the other side closes, or has said nothing more for `quietMs`. */
function send(house: House, door: Door, bytes: string | Buffer | readonly Buffer[], quietMs = 400): Promise<Raw> {
  return new Promise((resolve) => {
    const socket = open(house, door);
    let text = "";
    let quiet: NodeJS.Timeout | undefined;
    const done = (): void => {
      clearTimeout(quiet);
      socket.destroy();
      resolve({ status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1] ?? 0), text });
    };
    socket.setEncoding("latin1");
    socket.on("data", (part: string) => {
      if (text.length < 1_000_000) text += part;
      clearTimeout(quiet);
      quiet = setTimeout(done, quietMs);
    });
    socket.on("close", done);
    socket.on("error", () => socket.destroy());
    setTimeout(() => text === "" && done(), 15_000).unref();
    for (const part of typeof bytes === "string" || Buffer.isBuffer(bytes) ? [bytes] : bytes) socket.write(part);
  });
}

function open(house: House, door: Door): Socket {
  if (door === "collector") return connect(house.hubSocket);
  return connect(door === "app" ? house.appPort : house.storePort, "127.0.0.1");
}

function host(house: House, door: Door): string {
  return door === "collector" ? "localhost" : `127.0.0.1:${door === "app" ? house.appPort : house.storePort}`;
}

/** A request's text with an honest Host. */
function get(house: House, door: Door, path: string, headers = "", method = "GET"): string {
  return `${method} ${path} HTTP/1.1\r\nHost: ${host(house, door)}\r\nConnection: close\r\n${headers}\r\n`;
}

const DOORS: readonly Door[] = ["app", "store", "collector"];

/** Bytes that no server should choke on; `expected`: a status below 500, or a closed connection. */
const BYTES: readonly (readonly [name: string, bytes: (house: House, door: Door) => string | Buffer])[] = [
  ["nothing but line feeds", () => "\n".repeat(10_000)],
  ["a TLS hello", () => Buffer.from("160301020001000", "hex")],
  ["an HTTP/2 preface", () => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ["random bytes", () => Buffer.from(Array.from({ length: 8192 }, (_, i) => (i * 7919 + 13) % 256))],
  ["bad UTF-8 in the path", (h, d) => Buffer.from(get(h, d, "/\xff\xfe\xc0\x80"), "latin1")],
  ["NUL in the path", (h, d) => get(h, d, "/a\0b")],
  ["bad percent-encoding", (h, d) => get(h, d, "/%zz/%E0%A4%A?q=%E0%A4%A&from=%")],
  ["only two slashes for a path", (h, d) => get(h, d, "//")],
  ["an absolute foreign URL", (h, d) => get(h, d, "http://evil.example/api/status")],
  ["a URL that is none", (h, d) => get(h, d, "http://[::1")],
  ["OPTIONS *", (h, d) => get(h, d, "*", "", "OPTIONS")],
  ["CONNECT", (h, d) => get(h, d, "evil.example:443", "", "CONNECT")],
  ["TRACE", (h, d) => get(h, d, "/", "", "TRACE")],
  ["a method that is none", (h, d) => get(h, d, "/", "", "EVIL")],
  ["HTTP/9.9", () => "GET / HTTP/9.9\r\n\r\n"],
  ["no Host", () => "GET / HTTP/1.1\r\nConnection: close\r\n\r\n"],
  ["two Hosts", (h, d) => get(h, d, "/", "Host: evil.example\r\n")],
  [
    "length and chunks at once",
    (h, d) => get(h, d, "/", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "POST") + "0\r\n\r\nGET /smuggled",
  ],
  ["two lengths", (h, d) => get(h, d, "/", "Content-Length: 4\r\nContent-Length: 5\r\n", "POST") + "body"],
  ["a negative length", (h, d) => get(h, d, "/", "Content-Length: -1\r\n", "POST")],
  [
    "a chunk of 2^64 bytes",
    (h, d) => get(h, d, "/", "Transfer-Encoding: chunked\r\n", "POST") + "10000000000000000\r\nx",
  ],
  ["a header without a name", (h, d) => get(h, d, "/", ": x\r\n")],
  ["a line folded header", (h, d) => get(h, d, "/", "X-A: b\r\n c\r\n")],
  ["a bare CR in a header", (h, d) => get(h, d, "/", "X-A: b\rX-B: c\r\n")],
  ["a foreign upgrade", (h, d) => get(h, d, "/", "Upgrade: h2c\r\n").replace("close", "Upgrade")],
  ["10,000 headers", (h, d) => get(h, d, "/", Array.from({ length: 10_000 }, (_, i) => `X-${i}: ${i}\r\n`).join(""))],
  ["a header of 2 MiB", (h, d) => get(h, d, "/", `X-A: ${"a".repeat(2 << 20)}\r\n`)],
  ["a URL of 2 MiB", (h, d) => get(h, d, `/?q=${"a".repeat(2 << 20)}`)],
  ["a cookie of 12 kB", (h, d) => get(h, d, "/", `Cookie: ${"theme=<script>;".repeat(800)}\r\n`)],
];

const bytesTable: readonly Input[] = DOORS.flatMap((door, nth) =>
  BYTES.map(([name, bytes], i): Input => ({
    name: `${door}: ${name}`,
    expected: "a status below 500, or a closed connection",
    long: name === "nothing but line feeds" || (i + nth) % 2 === 1, // the first takes ten seconds to be closed
    async throwAt(house) {
      const { status, text } = await send(house, door, bytes(house, door));
      expectThat(status < 500 || status === 501 || status === 505, `status ${status}: ${text.slice(0, 200)}`);
    },
  })),
);

/** A question to the app's routes, and the status that it may have. */
function asks(
  name: string,
  path: string,
  statuses: readonly number[],
  headers = "",
  method = "GET",
  also?: (text: string) => string | undefined,
): Input {
  return {
    name: `app: ${name}`,
    expected: `status ${statuses.join(" or ")}${also === undefined ? "" : ", and nothing given away"}`,
    async throwAt(house) {
      const { status, text } = await send(
        house,
        "app",
        get(house, "app", path, headers.replaceAll("SELF", host(house, "app")), method),
      );
      expectThat(statuses.includes(status), `status ${status}: ${text.slice(-300)}`);
      expectThat(!/\n\s+at .*\.(ts|js):\d+/.test(text), `a stack in the answer: ${text.slice(-300)}`);
      const trouble = also?.(text);
      expectThat(trouble === undefined, trouble ?? "");
    },
  };
}

const noSecretFile = (text: string): string | undefined =>
  /root:.*:0:0:|"name": "weir"/.test(text) ? "a file came back" : undefined;
/** A Location is a path of this app: one slash, and no second one, back slash or scheme. */
const noOtherHost = (text: string): string | undefined => {
  const to = /^location: *(.*)$/im.exec(text)?.[1]?.trim();
  return to === undefined || /^\/(?![/\\])/.test(to) ? undefined : `sent elsewhere: ${to}`;
};
const SQL = [
  "' OR 1=1 --",
  "'; DROP TABLE flows; --",
  "\\'; SELECT 1; --",
  "{x:String}",
  "a\0b",
  "`",
  '"',
  "1 UNION SELECT name FROM system.tables",
  "\\",
  "%27%20OR%201%3D1",
];
/** Routes with a filter; each question is one of the table below. */
const FILTERED = [
  "flows",
  "map",
  "drops",
  "failures",
  "timeline",
  "edge",
  "node",
  "connection",
  "tuples",
  "books",
  "complete",
  "health-series",
  "drops/causes",
  "drops/facets",
];

/** `input`, in the full form alone where `isLong`. */
function leftOut(isLong: boolean, input: Input): Input {
  return isLong ? { ...input, long: true } : input;
}

const questions: readonly Input[] = [
  ...FILTERED.flatMap((route, nth) => [
    ...SQL.map((sql, i) =>
      leftOut(
        nth > 1 && (nth + i) % 7 > 0,
        asks(
          `SQL in the filter of ${route}: ${JSON.stringify(sql)}`,
          `/api/${route}?from=now-3h&q=${encodeURIComponent(`ns:${JSON.stringify(sql)}`)}&id=${encodeURIComponent(sql)}&prefix=${encodeURIComponent(sql)}&before=${encodeURIComponent(sql)}&scope=${encodeURIComponent(sql)}`,
          [200, 400, 404],
        ),
      ),
    ),
    leftOut(
      nth > 2,
      asks(
        `__proto__ among the parameters of ${route}`,
        `/api/${route}?__proto__[a]=1&__proto__=x&constructor=y&from=now-3h`,
        [200, 400],
      ),
    ),
    leftOut(
      nth > 2,
      asks(`a range of a century at ${route}`, `/api/${route}?from=1926-01-01&to=2126-01-01`, [200, 400]),
    ),
    leftOut(nth > 2, asks(`a backwards range at ${route}`, `/api/${route}?from=now&to=now-1h`, [400])),
  ]),
  ...["-1", "1e309", "NaN", "0x10", "1e3", "9007199254740993", "", "1;DROP", "[]"].map((limit) =>
    asks(`limit=${limit}`, `/api/flows?limit=${encodeURIComponent(limit)}`, [200, 400]),
  ),
  ...["time; DROP TABLE flows", "__proto__", "toString"].map((sort) =>
    asks(`sort=${sort}`, `/api/flows?sort=${encodeURIComponent(sort)}&order=${encodeURIComponent(sort)}`, [200, 400]),
  ),
  asks("10,000 namespaces in scope", `/api/map?scope=${"n,".repeat(5_000)}`, [400]),
  asks(
    "a filter with 1,000 stars",
    `/api/flows?from=now-3h&q=${encodeURIComponent(`name:${"*a".repeat(1000)}`)}`,
    [200, 400],
  ),
  asks("a filter of 1,000 brackets", `/api/flows?q=${encodeURIComponent("(".repeat(1000))}`, [200, 400]),
  ...[
    "/_next/static/..%2f..%2f..%2fpackage.json",
    "/_next/static/%2e%2e/%2e%2e/package.json",
    "/..%5c..%5cpackage.json",
    "/../../etc/passwd",
    "/%252e%252e/etc/passwd",
    "/_next/image?url=file:///etc/passwd&w=64&q=1",
    "/_next/image?url=http://169.254.169.254/latest&w=64&q=75",
    "/_next/data/x/../../../package.json",
    "/static/....//....//etc/passwd",
    "/package.json",
    "/.next/BUILD_ID",
    "/app/server.ts",
    "/.git/config",
  ].map((path) => asks(`a path out of the pages: ${path}`, path, [200, 308, 400, 404], "", "GET", noSecretFile)),
  ...[
    "//evil.example/",
    "//evil.example/%2e%2e",
    "/\\evil.example/",
    "/%5Cevil.example/",
    "/map//evil.example/",
    "/?next=//evil.example",
    "/map/?return=javascript:alert(1)",
  ].map((path) =>
    asks(`another host in the path: ${path}`, path, [200, 301, 307, 308, 400, 404], "", "GET", noOtherHost),
  ),
  ...[
    "evil.example",
    "127.0.0.1.evil.example",
    "evil.example@127.0.0.1",
    "localhost.",
    "127.0.0.1:1:1",
    "[::1",
    "\u0000",
  ].map((name): Input => ({
    name: `app: Host: ${JSON.stringify(name)}`,
    expected: "status 400 or 403",
    async throwAt(house) {
      const { status } = await send(
        house,
        "app",
        `GET /api/status HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`,
      );
      expectThat(status === 400 || status === 403, `status ${status}`);
    },
  })),
  asks(
    "spoofed X-Forwarded headers",
    "/map",
    [200, 307, 308],
    "X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: javascript\r\nX-Forwarded-For: 1\r\nX-Forwarded-Port: x\r\n",
    "GET",
    noOtherHost,
  ),
  asks(
    "x-middleware-subrequest (CVE-2025-29927)",
    "/api/flows?from=now-3h",
    [200],
    "x-middleware-subrequest: middleware:middleware:middleware:middleware:middleware\r\nx-middleware-rewrite: http://evil.example/\r\nx-nextjs-data: 1\r\n",
  ),
  asks(
    "a Next-Router-State-Tree that is garbage",
    "/map",
    [200, 307, 308, 400, 404, 500],
    "rsc: 1\r\nnext-router-state-tree: %7B%22__proto__\r\nnext-url: //evil.example\r\n",
  ),
  asks(
    "a form of another site",
    "/api/flows",
    [403],
    "Origin: http://evil.example\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n",
    "POST",
  ),
  asks("a change without an Origin", "/api/flows", [403], "Content-Length: 0\r\n", "DELETE"),
  asks("POST to a route that only reads", "/api/flows", [405], "Origin: http://SELF\r\nContent-Length: 0\r\n", "POST"),
  asks(
    "a server action that is not there (CVE-2025-55182)",
    "/map",
    [200, 303, 400, 404, 405, 409],
    "Origin: http://SELF\r\nNext-Action: 7fffffffffffffffffffffffffffffffffffffffff\r\nContent-Type: text/plain;charset=UTF-8\r\nContent-Length: 0\r\n",
    "POST",
  ),
  asks(
    "a hostile theme cookie",
    "/map",
    [200, 307],
    `Cookie: weir-theme="><script>window.${CANARY}=1</script>; weir-rail=<b>\r\n`,
    "GET",
    (text) => (text.includes(`window.${CANARY}`) ? "the cookie came back as markup" : undefined),
  ),
];

/** What the server may hold of one connection, bytes. */
const A_LOT = 96 << 20;

const floods: readonly Input[] = [
  {
    name: "app: a body of 256 MiB",
    expected: "refused, and not held in memory",
    alone: true,
    async throwAt(house) {
      const before = house.appMemory();
      const chunk = Buffer.alloc(1 << 20, 97);
      await send(house, "app", [
        Buffer.from(get(house, "app", "/api/flows", `Content-Length: ${256 << 20}\r\n`, "POST")),
        ...Array.from({ length: 256 }, () => chunk),
      ]);
      expectThat(house.appMemory() - before < A_LOT, `the app grew by ${(house.appMemory() - before) >> 20} MiB`);
    },
  },
  {
    name: "store: SQL of 64 MiB",
    expected: "an exception, and not held for long",
    alone: true,
    async throwAt(house) {
      const { status } = await send(
        house,
        "store",
        [
          Buffer.from(get(house, "store", "/", `Content-Length: ${64 << 20}\r\n`, "POST")),
          ...Array.from({ length: 64 }, () => Buffer.alloc(1 << 20, 32)),
        ],
        3000,
      );
      expectThat(status === 0 || (status >= 400 && status < 600), `status ${status}`);
    },
  },
  {
    name: "app: 5,000 requests in a row on one connection that reads nothing",
    expected: "the connection is held back or closed; memory stays bounded",
    alone: true,
    async throwAt(house, size) {
      const before = house.appMemory();
      const socket = open(house, "app");
      socket.on("error", () => socket.destroy());
      socket.pause();
      const count = size === "small" ? 500 : 5000;
      socket.write(`GET /api/flows?from=now-3h HTTP/1.1\r\nHost: ${host(house, "app")}\r\n\r\n`.repeat(count));
      await house.answersHonestly();
      expectThat(house.appMemory() - before < 2 * A_LOT, `the app grew by ${(house.appMemory() - before) >> 20} MiB`);
      socket.destroy();
    },
  },
  ...DOORS.map((door): Input => ({
    name: `${door}: slow headers on many connections (slowloris)`,
    expected: "others are served meanwhile; each is closed in the end",
    long: door !== "app",
    alone: true,
    async throwAt(house, size) {
      const sockets = Array.from({ length: size === "small" ? 200 : 500 }, () => open(house, door));
      let closed = 0;
      for (const socket of sockets) {
        socket.on("error", () => socket.destroy());
        socket.on("close", () => closed++);
        socket.resume();
        socket.write(`GET / HTTP/1.1\r\nHost: ${host(house, door)}\r\nX-`);
      }
      const drip = setInterval(() => {
        for (const socket of sockets) if (!socket.destroyed) socket.write("a");
      }, 500);
      try {
        await house.answersHonestly();
        await until("all slow connections are closed", () => closed === sockets.length);
      } finally {
        clearInterval(drip);
        for (const socket of sockets) socket.destroy();
      }
    },
  })),
  {
    name: "app: 3,000 connections that say nothing",
    expected: "others are served meanwhile",
    alone: true,
    async throwAt(house, size) {
      const sockets = Array.from({ length: size === "small" ? 500 : 3000 }, () => open(house, "app"));
      for (const socket of sockets) socket.on("error", () => socket.destroy());
      await house.answersHonestly();
      for (const socket of sockets) socket.destroy();
    },
  },
];

export function httpInputs(_size: Size): readonly Input[] {
  return [...bytesTable, ...questions, ...floods];
}
