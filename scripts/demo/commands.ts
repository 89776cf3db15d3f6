import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { WeirError } from "../../model/errors.ts";

/** Debian's packages of the tools that the demo needs. */
const TOOLS = { ip: "iproute2", nft: "nftables", nsenter: "util-linux" } as const;

/** Runs a program to its end and returns what it printed. Throws WeirError `demo-command` with the program's own words. */
export async function run(program: string, args: readonly string[], input?: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const child = execFile(
      program,
      args,
      {
        maxBuffer: 16 << 20,
        env: { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`, LC_ALL: "C" },
      },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else {
          const said = stderr.trim().split("\n")[0] || error.message;
          reject(
            new WeirError({
              code: "demo-command",
              what: `${program} ${args.slice(0, 6).join(" ")} failed: ${said}`,
              cause: error,
            }),
          );
        }
      },
    );
    child.stdin?.on("error", () => undefined); // EPIPE: the program's own exit code tells more
    child.stdin?.end(input ?? "");
  });
}

/** What of this machine decides whether it can hold a world. */
export interface Machine {
  readonly platform: string;
  readonly uid: number | undefined;
  readonly has: (tool: string) => boolean;
}

const THIS_MACHINE: Machine = { platform: process.platform, uid: process.getuid?.(), has: onPath };

/** Throws WeirError when a machine cannot hold the world: not Linux, not root, a tool missing. Says what to type. */
export function checkMachine(machine: Machine = THIS_MACHINE): void {
  if (machine.platform !== "linux") {
    throw new WeirError({
      code: "demo-needs-linux",
      what: `the demo world is made of Linux network namespaces and this is ${machine.platform}`,
      next: "run `./bin/weir start`: its recording plays there",
    });
  }
  if (machine.uid !== 0) {
    throw new WeirError({
      code: "demo-needs-root",
      what: "making network namespaces needs root",
      next: "run `sudo ./bin/weir demo`, or `./bin/weir start` to see its recording",
    });
  }
  const missing = Object.entries(TOOLS).filter(([tool]) => !machine.has(tool));
  if (missing.length > 0) {
    throw new WeirError({
      code: "demo-tool-missing",
      what: `${missing.map(([tool]) => tool).join(" and ")} ${missing.length === 1 ? "is" : "are"} not installed`,
      next: `run \`apt-get install -y ${missing.map(([, packageName]) => packageName).join(" ")}\``,
    });
  }
}

function onPath(tool: string): boolean {
  const folders = [...(process.env["PATH"] ?? "").split(":"), "/usr/sbin", "/sbin", "/usr/bin"];
  return folders.some((folder) => folder !== "" && existsSync(`${folder}/${tool}`));
}
