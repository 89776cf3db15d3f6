import { describe, expect, test } from "vitest";
import { decodeAnswer, decodeQuery, encodeAnswer, encodeQuery } from "./dns-message.ts";
import { answerOf, RequestReader, requestOf, type Speech } from "./talk.ts";

describe("what the programs say", () => {
  test.each(["http", "frames"] as const)("requests of %s are cut out of any split of the bytes", (speech: Speech) => {
    const bytes = Buffer.concat([requestOf(speech, 300, 1234, false), requestOf(speech, 700, 99, false)]);
    for (const size of [1, 7, 150, 5000]) {
      const reader = new RequestReader(speech);
      const requests = [];
      for (let at = 0; at < bytes.length; at += size) requests.push(...reader.push(bytes.subarray(at, at + size)));
      expect(requests.map((request) => request.down)).toEqual([1234, 99]);
    }
  });

  test("requests and answers are exactly as long as planned", () => {
    expect(requestOf("http", 400, 10, false)).toHaveLength(400);
    expect(requestOf("frames", 400, 10, false)).toHaveLength(400);
    expect(answerOf("http", 4000)).toHaveLength(4000);
    expect(answerOf("frames", 4000)).toHaveLength(4000);
  });

  test("a request can ask for a reset", () => {
    expect(new RequestReader("http").push(requestOf("http", 300, 10, true))[0]).toMatchObject({ reset: true });
  });
});

describe("the DNS messages", () => {
  test("a question comes back as it was asked", () => {
    const query = encodeQuery({ id: 513, name: "cart.svc.shop.internal", type: "AAAA" });
    expect(decodeQuery(query)).toEqual({ id: 513, name: "cart.svc.shop.internal", type: "AAAA", end: query.length });
  });

  test.each([
    ["A", ["198.51.100.20", "198.51.100.21"]],
    ["AAAA", ["fd42::10"]],
    ["A", []],
  ] as const)("an answer of type %s carries its addresses", (type, addresses) => {
    const query = encodeQuery({ id: 7, name: "a.example", type });
    expect(decodeAnswer(encodeAnswer(query, query.length, addresses), query.length)).toEqual({
      id: 7,
      rcode: "NOERROR",
      addresses,
    });
  });

  test("a name that does not exist is NXDOMAIN", () => {
    const query = encodeQuery({ id: 7, name: "no.example", type: "A" });
    expect(decodeAnswer(encodeAnswer(query, query.length, undefined), query.length).rcode).toBe("NXDOMAIN");
  });

  test("bytes that are no question are not answered", () => {
    expect(decodeQuery(Buffer.alloc(5))).toBeUndefined();
    expect(decodeQuery(Buffer.alloc(64, 0xff))).toBeUndefined();
  });
});
