/** How a program of bpf/ gets its events. */
export type Hook = "tracepoint" | "witness" | "cgroup" | "veth" | "iterator" | "test";

export interface Program {
  readonly name: string;
  readonly hook: Hook;
  /** What Weir does not see without it: a sentence's end, "without it …". */
  readonly dark: string;
  /** Event types that it alone makes; empty: it has no counter. */
  readonly makes: readonly number[];
}

/** Every program of the object, in the order of `weir doctor`. */
export const PROGRAMS: readonly Program[] = [
  {
    name: "connections",
    hook: "tracepoint",
    dark: "no TCP connection is seen as it opens, closes or fails",
    makes: [1, 2, 3, 4],
  },
  {
    name: "connections_nested",
    hook: "tracepoint",
    dark: "a connection event that interrupts another on its CPU is not seen",
    makes: [],
  },
  { name: "drops", hook: "tracepoint", dark: "no dropped packet is seen", makes: [5] },
  {
    name: "drops_nested",
    hook: "tracepoint",
    dark: "a drop that interrupts another on its CPU is not seen",
    makes: [],
  },
  {
    name: "conversations_out",
    hook: "cgroup",
    dark: "what is sent by UDP and ping is not counted, and DNS answers have no latency",
    makes: [9],
  },
  {
    name: "conversations_in",
    hook: "cgroup",
    dark: "what is received by UDP and ping is not counted, and addresses outside have no names",
    makes: [8],
  },
  {
    name: "read_conversations",
    hook: "iterator",
    dark: "UDP and ping appear on the map without packets and bytes",
    makes: [],
  },
  {
    name: "nat",
    hook: "veth",
    dark: "connections to a service address are not led to the back end that answered",
    makes: [10],
  },
  {
    name: "sweep",
    hook: "iterator",
    dark: "connections that are open for long are seen only when they close, and one whose end no program saw is not counted as lost",
    makes: [],
  },
  {
    name: "opened_before",
    hook: "iterator",
    dark: "connections opened before Weir that no process holds are seen only when they close",
    makes: [],
  },
  {
    name: "witness",
    hook: "witness",
    dark: "it is not known whether this kernel runs no program in process 1",
    makes: [],
  },
  {
    name: "owners",
    hook: "iterator",
    dark: "processes that listened or connected before Weir have no name, and their connections are seen only when they close",
    makes: [],
  },
  {
    name: "processes",
    hook: "iterator",
    dark: "without the right to trace them, other users' processes are in no network namespace",
    makes: [],
  },
  {
    name: "holders",
    hook: "iterator",
    dark: "without the right to trace them, other users' listening processes have no name",
    makes: [],
  },
  { name: "fill", hook: "test", dark: "", makes: [] },
];
