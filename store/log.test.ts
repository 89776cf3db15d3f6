import { expect, test } from "vitest";
import type { Environment } from "./config.ts";
import { openLog } from "./log.ts";

function said(env: Environment, say: (log: ReturnType<typeof openLog>) => void): string {
  let text = "";
  say(openLog("collector", env, { write: (line) => void (text += line) }));
  return text;
}

test("a line is JSON with the level as a word, the time in UTC and the part's name", () => {
  const line = said({ WEIR_LOG_FORMAT: "json" }, (log) => log.warn({ segment: "a.seg" }, "put aside"));
  expect(JSON.parse(line)).toMatchObject({
    level: "warn",
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    name: "collector",
    pid: process.pid,
    segment: "a.seg",
    msg: "put aside",
  });
});

test("for a person it is one line without anything that a terminal obeys", () => {
  const line = said({ WEIR_LOG_FORMAT: "pretty" }, (log) =>
    log.error({ cause: "no\u001b[31m \u202eroom", rows: 3, lane: "flows" }, "the spool\u001b]0;x cannot be written"),
  );
  expect(line).toMatch(
    /^\d\d:\d\d:\d\d ERROR collector the spool\\u001b\]0;x cannot be written \(cause="no\\u001b\[31m \\u202eroom", rows=3, lane=flows\)\n$/,
  );
});

test("below `weir start` it is for a person, else for a machine", () => {
  const pretty = said({ WEIR_LEASH: "1" }, (log) => log.info("it runs"));
  expect(pretty).toMatch(/ INFO {2}collector it runs\n$/);
  expect(said({}, (log) => log.info("it runs"))).toMatch(process.stderr.isTTY ? /INFO/ : /^\{/);
});

test("levels below the wanted one are left out, and silent is silent", () => {
  const all = (log: ReturnType<typeof openLog>): void => {
    log.debug("d");
    log.info("i");
    log.error("e");
  };
  expect(said({ WEIR_LOG_LEVEL: "error" }, all).trim().split("\n")).toHaveLength(1);
  expect(said({ WEIR_LOG_LEVEL: "debug" }, all).trim().split("\n")).toHaveLength(3);
  expect(said({ WEIR_LOG_LEVEL: "silent" }, all)).toBe("");
});

test("passwords and tokens are hidden whoever logs them", () => {
  const line = said({ WEIR_LOG_FORMAT: "json" }, (log) =>
    log.info({ password: "s3cret-1", store: { token: "s3cret-2", user: "writer" } }, "opened"),
  );
  expect(line).not.toContain("s3cret");
  expect(line).toContain("writer");
});

test("a level that is none is one sentence", () => {
  expect(() => openLog("store", { WEIR_LOG_LEVEL: "loud" })).toThrow(
    'WEIR_LOG_LEVEL: "loud" does not fit; expected trace, debug, info, warn, error, fatal, silent',
  );
});
