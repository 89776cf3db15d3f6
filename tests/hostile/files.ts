/** Files that a person points a command at: policies, samples, settings. Each is one sentence or a list of places, never a stack, a hang or a gigabyte. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { start, WEIR } from "../weir.ts";
import type { House } from "./house.ts";
import { expectThat, type Input } from "./table.ts";

const WITHIN_MS = 100_000;
/** Of coreutils. */
const MAKE_PIPE = "mkfifo";

/** Runs `weir` as a user would; ends it when it has not ended by itself in time, which is a trouble of its own. */
async function weir(
  args: readonly string[],
  env: Record<string, string>,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const running = start(WEIR, args, env);
  const timer = setTimeout(() => running.child.kill("SIGKILL"), WITHIN_MS);
  const ended = await running.ended;
  clearTimeout(timer);
  expectThat(ended.code !== null, "it did not end by itself");
  expectThat(!/\n\s+at |this is a bug|heap out of memory/.test(ended.stderr), `a stack: ${ended.stderr.slice(0, 300)}`);
  return ended;
}

type Make = (path: string) => Promise<unknown>;

const FILES: readonly (readonly [name: string, make: Make | string])[] = [
  ["a folder", (path) => mkdir(path)],
  ["a symbolic link to itself", (path) => symlink(path, path)],
  ["a link to nothing", (path) => symlink("/nowhere", path)],
  [
    "8 GiB of nothing",
    async (path) => {
      await writeFile(path, "");
      await truncate(path, 8 * 2 ** 30);
    },
  ],
  ["random bytes", (path) => writeFile(path, randomBytes(100_000))],
  ["NUL bytes", (path) => writeFile(path, Buffer.alloc(10_000))],
  ["nothing", (path) => writeFile(path, "")],
  ["/dev/zero", "/dev/zero"],
  ["/proc/self/mem", "/proc/self/mem"],
];

const YAML: readonly (readonly [name: string, text: string])[] = [
  [
    "a bomb of aliases",
    [
      "a: &a [x,x,x,x,x,x,x,x,x]",
      ..."bcdefgh"
        .split("")
        .map((c, i) => `${c}: &${c} [${Array.from({ length: 9 }, () => `*${"abcdefg"[i]}`).join(",")}]`),
    ].join("\n"),
  ],
  ["100,000 brackets", `a: ${"[".repeat(100_000)}`],
  [
    "__proto__ by a merge",
    "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: x, <<: {__proto__: {polluted: 1}}}\nspec: {podSelector: {}}\n",
  ],
  [
    "a tag of a function",
    'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: x}\nspec: {podSelector: !!js/function "function(){}"}\n',
  ],
  [
    "escapes in a name",
    'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: "\\e[2Jx"}\nspec: {podSelector: 7}\n',
  ],
  [
    "a CIDR that is none, ports that are none",
    "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: x}\nspec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.1/33}}], ports: [{port: 65536}, {port: 0}, {port: 5, endPort: 4}]}]}\n",
  ],
];

let made = 0;

async function pathOf(house: House, make: Make | string): Promise<string> {
  if (typeof make === "string") return make;
  const path = join(house.folder, `file-${made++}.yaml`);
  await make(path);
  return path;
}

/** Throws when control or direction characters came through. */
function clean(text: string): void {
  expectThat(
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    !/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/u.test(text),
    `control characters: ${JSON.stringify(text.slice(0, 200))}`,
  );
}

export function fileInputs(): readonly Input[] {
  return [
    ...FILES.map(([name, make], i): Input => ({
      name: `weir policy check: ${name}`,
      expected: "an exit code and words about the file",
      long: i % 3 > 0,
      async throwAt(house) {
        const { code, stderr, stdout } = await weir(["policy", "check", await pathOf(house, make)], {});
        expectThat(code === 0 || code === 1 || code === 2, `exit code ${code}`);
        expectThat(stderr + stdout !== "", "no word");
        clean(stderr + stdout);
      },
    })),
    ...YAML.map(([name, text], i): Input => ({
      name: `weir policy check: ${name}`,
      expected: "places in the file and exit code 1, or nothing to say and 0",
      long: i % 2 > 0,
      async throwAt(house) {
        const { code, stdout, stderr } = await weir(
          ["policy", "check", await pathOf(house, (path) => writeFile(path, text))],
          {},
        );
        expectThat(code === 0 || code === 1, `exit code ${code}: ${stderr.slice(0, 200)}`);
        clean(stdout + stderr);
      },
    })),
    ...FILES.filter(([, make]) => make !== "/proc/self/mem").map(([name, make], i): Input => ({
      name: `weir collect --replay: ${name}`,
      expected: "one sentence and exit code 2",
      long: i !== 3,
      async throwAt(house) {
        const env = {
          WEIR_DATA_DIR: join(house.folder, `data-${made++}`),
          WEIR_METRICS_PORT: "off",
          WEIR_COLLECTOR_SOCKET: "",
        };
        const { code, stderr } = await weir(["collect", "--replay", await pathOf(house, make)], env);
        expectThat(code === 2, `exit code ${code}: ${stderr.slice(-300)}`);
      },
    })),
    {
      name: "weir collect --replay: a pipe that nobody writes to",
      expected: "one sentence and exit code 2",
      async throwAt(house) {
        const path = join(house.folder, `pipe-${made++}`);
        await new Promise((resolve) => execFile(MAKE_PIPE, [path], resolve));
        const env = {
          WEIR_DATA_DIR: join(house.folder, `data-${made++}`),
          WEIR_METRICS_PORT: "off",
          WEIR_COLLECTOR_SOCKET: "",
        };
        const { code, stderr } = await weir(["collect", "--replay", path], env);
        expectThat(code === 2 && /it is no file/.test(stderr), `exit code ${code}: ${stderr.slice(-300)}`);
      },
    },
    ...(
      [
        ["WEIR_PORT", "1e309"],
        ["WEIR_PORT", "-1"],
        ["WEIR_STORE_PORT", "0x50; rm -rf /"],
        ["WEIR_CLICKHOUSE_URL", "javascript:alert(1)"],
        ["WEIR_CLICKHOUSE_URL", "http://user:hunter2-canary@[::1"],
        ["WEIR_CLICKHOUSE_DATABASE", "weir; DROP DATABASE default"],
        ["WEIR_CLICKHOUSE_CLUSTER", "'; DROP TABLE x; --"],
        ["WEIR_KEEP_FLOWS_DAYS", "1e9h"],
        ["WEIR_STORE_MEMORY", "NaN"],
      ] as const
    ).map(([setting, value], i): Input => ({
      name: `${setting}=${value}`,
      expected: "one sentence that names the setting, exit code 2, no password",
      long: i % 4 > 0,
      async throwAt(house) {
        const env = { WEIR_DATA_DIR: join(house.folder, `data-${made++}`), [setting]: value };
        const { code, stderr } = await weir(["start", "--no-collect"], env);
        expectThat(code === 2 && stderr.includes(setting), `exit code ${code}: ${stderr.slice(0, 300)}`);
        expectThat(!stderr.includes("hunter2-canary"), `the password is in the sentence: ${stderr}`);
      },
    })),
  ];
}
