import { parseAddress } from "../address.ts";
import type { Check, Description } from "./types.ts";

/** What a flow knows about itself. All of it came from packets and other programs: hostile until quoted. */
export interface FlowValues {
  readonly src?: string | undefined;
  readonly dst?: string | undefined;
  readonly sport?: number | undefined;
  readonly dport?: number | undefined;
  /** `tcp`, `udp`, `icmp` … */
  readonly proto?: string | undefined;
  readonly device?: string | undefined;
  /** A name that `ip netns exec` takes; undefined for the host's own namespace or one without a name. */
  readonly netns?: string | undefined;
  /** Path below the cgroup root: `/system.slice/nginx.service`. */
  readonly cgroup?: string | undefined;
  /** The kernel function. */
  readonly location?: string | undefined;
}

export interface FilledCheck {
  readonly command: string;
  readonly why: string;
}

const port = (value: unknown) => typeof value === "number" && Number.isInteger(value) && value > 0 && value < 65_536;
const text = (value: unknown, most: number): value is string =>
  // No option ("-x"), nothing that a terminal would obey or show as something else: controls, line ends, marks of direction, unpaired surrogates.
  typeof value === "string" &&
  value !== "" &&
  value.length <= most &&
  !value.startsWith("-") &&
  !/[\p{C}\p{Zl}\p{Zp}]/u.test(value);
const address = (value: unknown) => typeof value === "string" && parseAddress(value) !== undefined;

/** Every placeholder and what a value for it must be like; another value counts as unknown. */
export const PLACEHOLDERS: Readonly<Record<keyof FlowValues, (value: unknown) => boolean>> = {
  src: address,
  dst: address,
  sport: port,
  dport: port,
  proto: (value) => typeof value === "string" && /^[a-z][a-z0-9-]{0,15}$/.test(value),
  device: (value) => text(value, 15) && !/[/\s]/.test(value) && value !== "." && value !== "..", // dev_valid_name() of the kernel
  netns: (value) => text(value, 255) && !value.includes("/") && value !== "." && value !== ".." && !/^\d+$/.test(value),
  cgroup: (value) => text(value, 4096) && value.startsWith("/") && !value.split("/").includes(".."),
  location: (value) => typeof value === "string" && /^[A-Za-z_][\w.]{0,127}$/.test(value),
};

/** Programs that look at a network namespace, and so run inside the event's. */
const IN_NAMESPACE =
  /^(ss|ip|nstat|sysctl net|tc|nft|iptables-save|conntrack|ping|traceroute|tcpdump|ethtool|bridge|arping|rdisc6|bpftool net|cat \/proc\/net) ?/;

/**
 * The checks of a description as commands for this flow, in their order; one that needs a value which is unknown or not credible is left out.
 * Values are quoted for a POSIX shell. When the flow has a named namespace, commands that look at one are run in it.
 */
export function fillChecks(description: Pick<Description, "checks">, flow: FlowValues): FilledCheck[] {
  const filled: FilledCheck[] = [];
  for (const check of description.checks) {
    const command = fillCheck(check, flow);
    if (command !== undefined) filled.push({ command, why: check[1] });
  }
  return filled;
}

function fillCheck([template, , place]: Check, flow: FlowValues): string | undefined {
  let complete = true;
  const body = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = Object.hasOwn(PLACEHOLDERS, name) ? flow[name as keyof FlowValues] : undefined;
    if (value === undefined || !PLACEHOLDERS[name as keyof FlowValues](value)) complete = false;
    const word = String(value);
    return complete ? quoteForShell(template.startsWith("ss ") && word.includes(":") ? `[${word}]` : word) : ""; // ss takes IPv6 in brackets only
  });
  if (!complete) return undefined;
  if (place !== undefined || !IN_NAMESPACE.test(body) || !PLACEHOLDERS.netns(flow.netns)) return body;
  return `ip netns exec ${quoteForShell(flow.netns!)} ${body}`;
}

/** A word that a POSIX shell reads back as exactly this text: bare when nothing in it is special, else in single quotes. */
export function quoteForShell(value: string): string {
  return /^[A-Za-z0-9_.:@%+,/][A-Za-z0-9_.:@%+,/-]*$/.test(value)
    ? value
    : `'${value.replaceAll("'", String.raw`'\''`)}'`;
}
