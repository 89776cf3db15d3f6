/** Rows of hostile names, already in the store, through every output: table, compact, JSON, CSV, the app's answers, SVG. And values as SQL parameters. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { unhurried } from "../../store/testing.ts";
import type { MapTheme } from "../../components/map/pen.ts";
import { svgPen } from "../../components/map/svg-pen.ts";
import { weir } from "../weir.ts";
import { EVIL } from "./names.ts";
import type { House } from "./house.ts";
import { expectThat, type Input } from "./table.ts";

// oxlint-disable-next-line no-control-regex -- the characters that must not come through
const HIDDEN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u2028\u2029\u202a-\u202e\ufeff]/u;

/** Cells of CSV text (RFC 4180). */
function cells(text: string): string[] {
  return [...text.matchAll(/(?:^|,|\r?\n)(?:"((?:[^"]|"")*)"|([^",\r\n]*))/g)].map((match) =>
    (match[1] ?? match[2] ?? "").replaceAll('""', '"'),
  );
}

async function rowsOf(house: House): Promise<string> {
  const answer = await house.store.reader.bytes(
    "SELECT count() AS n, groupBitXor(cityHash64(toString(src_workload))) AS h FROM flows",
    "JSONEachRow",
    {},
    unhurried,
  );
  let text = "";
  for await (const part of answer) text += Buffer.from(part).toString("utf8");
  return text;
}

export function outputInputs(): readonly Input[] {
  return [
    ...["compact", "table", "json"].map((format, i): Input => ({
      name: `names in weir observe -o ${format}`,
      expected: "no control, escape or direction character",
      long: i > 0,
      async throwAt(house) {
        const { code, stdout } = await weir(["observe", "--since", "now-3h", "--last", "200", "-o", format], house.env);
        expectThat(code === 0 && stdout.length > 1000, `exit code ${code}, ${stdout.length} characters`);
        expectThat(
          !HIDDEN.test(stdout.replaceAll("\n", "")),
          `hidden characters: ${JSON.stringify(HIDDEN.exec(stdout.replaceAll("\n", ""))?.[0])}`,
        );
      },
    })),
    ...["flows", "edges", "tuples"].map((what, i): Input => ({
      name: `names in weir export ${what} --format csv`,
      expected: "no cell begins with = + - @, a tab, a line's end or their wide forms",
      long: i > 0,
      async throwAt(house) {
        const { code, stdout, stderr } = await weir(
          ["export", what, "--since", "now-3h", "--format", "csv"],
          house.env,
        );
        expectThat(code === 0, `exit code ${code}: ${stderr}`);
        const bad = cells(stdout).find((cell) => /^[=+@\t\r\n＝＋－＠]|^-(?![\d.]+$)/.test(cell));
        expectThat(bad === undefined, `a cell begins like a formula: ${JSON.stringify(bad)}`);
      },
    })),
    ...["../escape.csv", "/dev/full", "..", ""].map((name, i): Input => ({
      name: `weir export -o ${JSON.stringify(name)}`,
      expected: "the file that was named or a sentence; nothing beside it is written over",
      long: i > 0,
      async throwAt(house) {
        const path = name.startsWith("/") ? name : join(house.folder, "run", name);
        const { code, stderr } = await weir(["export", "dns", "--since", "now-3h", "-o", path], house.env);
        expectThat(code === 0 || code === 2, `exit code ${code}: ${stderr.slice(0, 300)}`);
        expectThat(!/\n\s+at /.test(stderr), stderr.slice(0, 300));
      },
    })),
    {
      name: "names in SVG",
      expected: "text, whatever it says: no element, attribute or entity of its own",
      async throwAt() {
        // Measures nothing: only what is written matters here.
        const pen = svgPen({ measureText: () => ({ width: 1 }) } as unknown as CanvasRenderingContext2D);
        for (const name of EVIL) pen.fillText(name, 10, 10);
        const svg = pen.toSvg(800, 600, new Proxy({}, { get: () => "#000" }) as MapTheme);
        expectThat(
          !/<script|<img|<svg [^>]*onload|<[a-z]+[^>]*\son\w+=/i.test(svg),
          `markup: ${/<script|<img|\son\w+=/i.exec(svg)?.[0]}`,
        );
        // oxlint-disable-next-line no-control-regex -- XML has no place for them
        expectThat(!/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.test(svg), "control characters, which XML refuses");
      },
    },
    ...EVIL.filter((name) => name.length < 200).map((name, i): Input => ({
      name: `as a typed parameter: ${JSON.stringify(name)}`,
      expected: "exactly the rows of that name, and the table as it was",
      long: i % 4 > 0,
      async throwAt(house) {
        const before = await rowsOf(house);
        const answer = await house.store.reader.bytes(
          "SELECT toString(src_workload) AS name FROM flows WHERE src_workload = {name:String}",
          "JSONEachRow",
          { name },
          unhurried,
        );
        let text = "";
        for await (const part of answer) text += Buffer.from(part).toString("utf8");
        const got = text
          .split("\n")
          .filter((line) => line !== "")
          .map((line) => (JSON.parse(line) as { name: string }).name);
        expectThat(got.length === 1 && got[0] === name, `${got.length} rows: ${JSON.stringify(got).slice(0, 200)}`);
        expectThat((await rowsOf(house)) === before, "the table is another than before");
      },
    })),
    ...[
      "INSERT INTO flows SELECT * FROM flows",
      "DROP TABLE flows",
      "SELECT * FROM file('/etc/passwd')",
      "SELECT * FROM url('http://127.0.0.1:1/')",
      "SELECT * FROM system.users",
      "SET readonly = 0",
      "SELECT 1 SETTINGS readonly = 0",
      "SELECT 1 INTO OUTFILE '/tmp/x'",
      "CREATE TABLE x (a Int8) ENGINE = Memory",
      "SELECT * FROM executable('id', 'TSV', 'a String')",
      "SELECT sleep(3) FROM numbers(100)",
      "SELECT number FROM numbers(100000000000)",
    ].map((sql): Input => ({
      name: `as the store's reader: ${sql}`,
      expected: "refused or limited; the table as it was",
      async throwAt(house) {
        const before = await rowsOf(house);
        let rows = 0;
        try {
          const answer = await house.store.reader.bytes(
            sql,
            sql.includes("OUTFILE") ? undefined : "TSV",
            {},
            AbortSignal.timeout(60_000),
          );
          for await (const part of answer) {
            rows += part.length;
            if (rows > 1 << 20) break;
          }
          expectThat(rows > 1 << 20 || /system\.users|numbers|SET/.test(sql), `answered with ${rows} bytes`);
        } catch (thrown) {
          expectThat(!/is another than|answered with/.test(String(thrown)), String(thrown));
        }
        expectThat((await rowsOf(house)) === before, "the table is another than before");
        expectThat(
          !(await readFile("/tmp/x").then(
            () => true,
            () => false,
          )),
          "a file was written",
        );
      },
    })),
  ];
}
