import type { Check, NoiseRule, Severity } from "./types.ts";

/** One of Cilium's own drop reasons; the number is the one of its events, the name the one of Hubble. */
export interface CiliumRow {
  readonly name: string;
  readonly title: string;
  readonly meaning: string;
  readonly severity: Severity;
  readonly causes?: readonly string[];
  readonly fix?: string;
  readonly checks?: readonly Check[];
  readonly policy?: true;
  readonly noise?: readonly NoiseRule[];
}

// All of Cilium's checks run on the node or in its agent, outside of the event's namespace.
export const HUBBLE: Check = [
  "hubble observe --verdict DROPPED --print-policy-names --from-ip {src} --to-ip {dst}",
  "Cilium's recent drops of this pair, with the policies involved",
  "host",
];
export const POLICY: Check = ["cilium-dbg policy get", "policies that the agent has loaded", "host"];
export const ENDPOINTS: Check = ["cilium-dbg endpoint list", "endpoints of this node with their state", "host"];
export const IPCACHE: Check = [
  "cilium-dbg bpf ipcache get {dst}",
  "the identity and node that Cilium holds for the address",
  "host",
];
export const STATUS: Check = ["cilium-dbg status --verbose", "health, tunnel, MTU and proxies of the agent", "host"];
export const CONFIG: Check = ["cilium-dbg config", "which features are on", "host"];
export const AGENT_LOG: Check = ["kubectl -n kube-system logs ds/cilium --tail 50", "what the agent says", "host"];
export const NODES: Check = ["cilium-dbg node list", "nodes that the agent knows", "host"];
export const CAPTURE_HERE: Check = [
  "tcpdump -nn -vv -c 20 -i {device} host {src} and host {dst}",
  "the next packets of this pair",
  "host",
];
export const EGRESS: Check = ["cilium-dbg bpf egress list", "which traffic leaves through which gateway", "host"];

export const REPORT = "If it lasts, restart the agent and report it to Cilium with a sysdump.";
export const BRIEF = "Nothing if it is brief; if it lasts, restart the agent.";
export const FOREIGN = "Correct or remove what sends such packets.";
