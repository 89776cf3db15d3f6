import { run } from "../../scripts/demo/commands.ts";
import { ENDS } from "./people.ts";

/** The router's own addresses on every link. */
const ROUTER_V4 = "169.254.1.1";
const ROUTER_V6 = "fe80::1";

/** A namespace per end, each on a link of its own to a router that forwards between them. All names carry `prefix`. */
export class PacketNetwork {
  readonly router: string;
  readonly names: readonly string[];

  constructor(prefix: string) {
    this.router = `${prefix}-router`;
    this.names = ENDS.map((end) => `${prefix}-${end.name}`);
  }

  async build(): Promise<void> {
    await run("ip", ["-batch", "-"], [this.router, ...this.names].map((name) => `netns add ${name}`).join("\n"));
    await run(
      "nsenter",
      [`--net=/run/netns/${this.router}`, "ip", "-batch", "-"],
      ENDS.map((end, i) => `link add ${end.name} type veth peer name eth0 netns ${this.names[i]}`).join("\n"),
    );
    await inside(
      this.router,
      ["net/ipv4/ip_forward=1", "net/ipv6/conf/all/forwarding=1"],
      [
        "link set lo up",
        ...ENDS.flatMap((end) => [
          `link set ${end.name} addrgenmode none`,
          `addr add ${ROUTER_V4}/32 dev ${end.name}`,
          `addr add ${ROUTER_V6}/64 dev ${end.name} nodad`,
          `link set ${end.name} up`,
          `route add ${end.v4}/32 dev ${end.name} scope link`,
          `route add ${end.v6}/128 dev ${end.name}`,
        ]),
      ],
    );
    for (const [i, end] of ENDS.entries())
      await inside(
        this.names[i]!,
        [],
        [
          "link set lo up",
          "link set eth0 addrgenmode none",
          `addr add ${end.v4}/32 dev eth0`,
          `addr add ${end.v6}/128 dev eth0 nodad`,
          "addr add fe80::2/64 dev eth0 nodad",
          "link set eth0 up",
          `route add ${ROUTER_V4} dev eth0 scope link src ${end.v4}`,
          `route add default via ${ROUTER_V4} dev eth0 src ${end.v4}`,
          `route add ::/0 via ${ROUTER_V6} dev eth0 src ${end.v6}`,
        ],
      );
  }

  /** Hands a ruleset, or a question, to the router's nft. */
  async nft(args: readonly string[], rules?: string): Promise<string> {
    return await run("nsenter", [`--net=/run/netns/${this.router}`, "nft", ...args], rules);
  }

  /** Links go with their namespaces. */
  async remove(): Promise<void> {
    for (const name of [this.router, ...this.names]) await run("ip", ["netns", "del", name]).catch(() => undefined);
  }
}

async function inside(namespace: string, settings: readonly string[], links: readonly string[]): Promise<void> {
  const all = [
    ...settings,
    "net/ipv6/conf/all/accept_dad=0",
    "net/ipv6/conf/default/accept_dad=0",
    "net/ipv6/conf/default/accept_ra=0",
  ];
  const script = all.map((line) => `echo ${line.split("=")[1]} > /proc/sys/${line.split("=")[0]}`);
  await run(
    "nsenter",
    [`--net=/run/netns/${namespace}`, "sh", "-e"],
    [...script, "ip -batch - <<'END'", ...links, "END"].join("\n"),
  );
}
