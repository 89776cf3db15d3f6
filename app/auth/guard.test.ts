import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { createGuard } from "./guard.ts";

function asked(headers: Readonly<Record<string, string>>, method = "GET"): IncomingMessage {
  return { method, headers } as unknown as IncomingMessage;
}

test("a page of this app may open a WebSocket and change things", () => {
  const guard = createGuard("127.0.0.1", []);
  expect(
    guard.refuse(asked({ host: "127.0.0.1:7070", origin: "http://127.0.0.1:7070", upgrade: "websocket" })),
  ).toBeUndefined();
  expect(guard.refuse(asked({ host: "localhost:7070", origin: "http://localhost:7070" }, "POST"))).toBeUndefined();
});

test.each([
  ["another site's origin", { host: "127.0.0.1:7070", origin: "http://evil.example", upgrade: "websocket" }],
  ["another port of the same host", { host: "127.0.0.1:7070", origin: "http://127.0.0.1:8080", upgrade: "websocket" }],
  ["no origin", { host: "127.0.0.1:7070", upgrade: "websocket" }],
  ["an origin that is none", { host: "127.0.0.1:7070", origin: "null", upgrade: "websocket" }],
])("a WebSocket with %s is refused", (_name, headers) => {
  expect(createGuard("127.0.0.1", []).refuse(asked(headers))).toBeTypeOf("string");
});

test("a name that leads to loopback by somebody's DNS is refused, unless it was allowed", () => {
  const host = { host: "weir.evil.example:7070" };
  expect(createGuard("127.0.0.1", []).refuse(asked(host))).toContain("WEIR_HOST_NAMES");
  expect(createGuard("127.0.0.1", ["weir.evil.example"]).refuse(asked(host))).toBeUndefined();
});

test("an app that listens on all addresses answers under any of them, but under no foreign name", () => {
  const guard = createGuard("0.0.0.0", []);
  expect(guard.refuse(asked({ host: "192.0.2.7:7070" }))).toBeUndefined();
  expect(guard.refuse(asked({ host: "[2001:db8::7]:7070" }))).toBeUndefined();
  expect(guard.refuse(asked({ host: "other.example:7070" }))).toBeTypeOf("string");
});

test("a refusal shows no control characters of the header", () => {
  expect(
    createGuard("127.0.0.1", []).refuse(asked({ host: "127.0.0.1", origin: "\u001b[31mred", upgrade: "websocket" })),
  ).not.toContain("\u001b");
});
