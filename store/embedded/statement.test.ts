import { describe, expect, test } from "vitest";
import { insertHead, isNoStatement, outputFormat, placeholders, refusal, tokens, verbOf } from "./statement.ts";

/** What reached out of the engine although its session had readonly = 1, and what might. */
const REFUSED = [
  "SELECT file('/etc/passwd')",
  "select FILE ( '/etc/passwd' )",
  "SELECT \"file\"('/etc/passwd')",
  "SELECT `file`('/etc/passwd')",
  "SELECT `\\x66ile`('/etc/passwd')",
  "SELECT/**/file/**/('/etc/passwd')",
  "SELECT 1.file('/etc/passwd')",
  "SELECT “file”('/etc/passwd')",
  "SELECT ‘ ' ’, file('/etc/passwd'), ‘ ' ’",
  "SELECT * APPLY(file) FROM (SELECT '/etc/passwd' AS p)",
  "SELECT * APPLY file FROM (SELECT '/etc/passwd' AS p)",
  "SELECT * FROM (SELECT * FROM file('/etc/passwd', LineAsString) SETTINGS readonly = 0)",
  "SELECT * FROM (SELECT 1 SETTINGS readonly=0)",
  "SELECT 1 SETTINGS/* */max_execution_time = 1000",
  "SELECT 1 INTO OUTFILE '/tmp/x'",
  "SELECT 1 into\n-- comment\noutfile '/tmp/x'",
  "SELECT $a$ x, 1 INTO OUTFILE '/tmp/x'",
  "DESCRIBE file('/etc/passwd', LineAsString)",
  "SELECT * FROM url('http://127.0.0.1/', LineAsString)",
  "SELECT * FROM s3('http://127.0.0.1/x')",
  "SELECT * FROM remote('127.0.0.1', system.one)",
  "SELECT * FROM executable('id', TSV, 'a String')",
  "SELECT * FROM mysql('h', 'd', 't', 'u', 'p')",
  "KILL QUERY WHERE 1 ASYNC",
  "SET readonly = 0",
  "SYSTEM SHUTDOWN",
  "DROP TABLE flows",
  "INSERT INTO flows VALUES (1)",
  "SELECT 1; DROP TABLE flows",
  "WITH 1 AS x SELECT x; SELECT 2",
  "",
];

const ALLOWED = [
  "SELECT 1",
  "select 1;",
  "(SELECT 1) UNION ALL (SELECT 2)",
  "WITH a AS (SELECT 1 AS n) SELECT n FROM a",
  "SELECT 'INTO OUTFILE', 'file(', \"SETTINGS\" FROM (SELECT 1 AS SETTINGS)",
  "SELECT name FROM system.settings WHERE name = 'readonly'",
  "SELECT count() FROM flows WHERE process = 'it''s; file(x)' AND reason != 'a\\'b'",
  "SHOW TABLES",
  "DESCRIBE TABLE flows",
  "EXPLAIN indexes = 1 SELECT count() FROM flows",
  "EXISTS TABLE flows",
  "SELECT 1 -- ; DROP TABLE flows",
  "SELECT 1 /* ; DROP TABLE flows */",
  "SELECT file FROM (SELECT 1 AS file)",
];

describe("a reader", () => {
  test.each(REFUSED)("may not run %s", (sql) => {
    expect(refusal(tokens(sql))).toBeTypeOf("string");
  });

  test.each(ALLOWED)("may run %s", (sql) => {
    expect(refusal(tokens(sql))).toBeUndefined();
  });
});

describe("a statement's words tell", () => {
  test("its verb, past comments and brackets", () => {
    expect(verbOf(tokens("/* x */ -- y\n ((select 1))"))).toBe("SELECT");
    expect(isNoStatement(tokens("selec 1"))).toBe(true);
    expect(isNoStatement(tokens("drop table x"))).toBe(false);
  });

  test("the format of its answer, and that a string or a column of that name is none", () => {
    expect(outputFormat(tokens("SELECT 1 FORMAT JSON"))).toBe("JSON");
    expect(outputFormat(tokens("SELECT 1 format CSV ;"))).toBe("CSV");
    expect(outputFormat(tokens("SELECT 1 FORMAT Native SETTINGS max_threads = 1"))).toBe("Native");
    expect(outputFormat(tokens("SELECT 'x FORMAT JSON'"))).toBeUndefined();
    expect(outputFormat(tokens("SELECT format FROM t"))).toBeUndefined();
  });

  test("the head of an INSERT whose rows come in the body", () => {
    const sql = "INSERT INTO t (a, b) FORMAT RowBinary";
    expect(insertHead(sql, tokens(sql))).toEqual({ head: "INSERT INTO t (a, b) ", format: "RowBinary" });
    const values = "INSERT INTO t VALUES (1)";
    expect(insertHead(values, tokens(values))).toBeUndefined();
  });

  test("its parameters, but none in strings", () => {
    expect(placeholders(tokens("SELECT {a:String}, '{b:String}', {c : Array(UInt8)}"))).toEqual(["a", "c"]);
  });
});
