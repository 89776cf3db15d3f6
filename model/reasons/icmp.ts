/** What an ICMP message says, to whom it matters, and which drop goes with it. */
export interface IcmpMeaning {
  /** `3/1`, or `v6 1/3` for ICMPv6. */
  readonly name: string;
  readonly title: string;
  /** The error that it becomes for a program; undefined = none. */
  readonly errno: string | undefined;
  /** True: a UDP socket hears of it even if it did not ask for errors. TCP takes none of them as final while it still connects. */
  readonly hardForUdp: boolean;
  /** Reasons that a host which sends it drops the packet with. */
  readonly drops: readonly string[];
}

type Row = readonly [title: string, errno: string | undefined, hardForUdp: boolean, ...drops: string[]];

const MEANINGS: Readonly<Record<string, Row>> = {
  "3/0": ["a router has no route there", "ENETUNREACH", false, "IP_INNOROUTES"],
  "3/1": [
    "nobody answers for the address, or a route says unreachable",
    "EHOSTUNREACH",
    false,
    "NEIGH_FAILED",
    "NOT_SPECIFIED",
  ],
  "3/2": ["the host does not speak this IP protocol", "ENOPROTOOPT", true, "IP_NOPROTO"],
  "3/3": ["the UDP port is closed, or a firewall rejects", "ECONNREFUSED", true, "NO_SOCKET", "NETFILTER_DROP"],
  "3/4": ["the packet is too large; the message carries the right size", "EMSGSIZE", false, "PKT_TOO_BIG"],
  "3/9": ["the network is forbidden", "ENETUNREACH", true, "NETFILTER_DROP"],
  "3/10": ["the host is forbidden, as firewalld rejects", "EHOSTUNREACH", true, "NETFILTER_DROP"],
  "3/13": ["forbidden by a firewall or a prohibit route", "EHOSTUNREACH", true, "NETFILTER_DROP", "NOT_SPECIFIED"],
  "5/1": ["a hint: another gateway on the same wire is nearer", undefined, false],
  "11/0": ["no hops left", "EHOSTUNREACH", false, "IP_INHDR", "IP_TTL_EXCEEDED"],
  "11/1": ["fragments did not arrive in time", "EHOSTUNREACH", false, "FRAG_REASM_TIMEOUT"],
  "12/0": ["a header field is wrong", "EPROTO", true, "IP_INHDR"],
  "v6 1/0": ["a router has no route there", "ENETUNREACH", false, "IP_INNOROUTES"],
  "v6 1/1": ["forbidden by a firewall or a prohibit route", "EACCES", true, "NETFILTER_DROP", "IP_INNOROUTES"],
  "v6 1/3": ["nobody answers for the address", "EHOSTUNREACH", false, "NOT_SPECIFIED"],
  "v6 1/4": ["the UDP port is closed, or a firewall rejects", "ECONNREFUSED", true, "NO_SOCKET", "NETFILTER_DROP"],
  "v6 1/5": ["the source address is not allowed", "EACCES", true],
  "v6 1/6": ["a route rejects it", "EACCES", true],
  "v6 2/0": ["the packet is too large; the message carries the right size", "EMSGSIZE", false, "PKT_TOO_BIG"],
  "v6 3/0": ["no hops left", "EHOSTUNREACH", false, "IP_INHDR", "IP_TTL_EXCEEDED"],
  "v6 4": ["a header field is wrong", "EPROTO", true, "IP_NOPROTO", "UNHANDLED_PROTO"],
};

/** The meaning of an ICMP (`family` 4) or ICMPv6 (6) error message, or undefined when this version has none. */
export function describeIcmp(family: 4 | 6, type: number, code: number): IcmpMeaning | undefined {
  const name = `${family === 6 ? "v6 " : ""}${type}/${code}`;
  const row = MEANINGS[name] ?? (family === 6 && type === 4 ? MEANINGS["v6 4"] : undefined);
  if (row === undefined) return undefined;
  const [title, errno, hardForUdp, ...drops] = row;
  return { name, title, errno, hardForUdp, drops };
}
