import type { EditRequest, FlowEnd } from "./answers.ts";

/** `storefront/web→payments/payments:TCP 8443` as a question; without a port every port is meant. */
export function parseEdge(text: string): Omit<EditRequest, "action"> | undefined {
  const match = /^(.+)→(.+?)(?::((?:TCP|UDP|SCTP) \d+|\d+))?$/.exec(text);
  if (match === null) return undefined;
  const port = match[3] ?? "";
  return { source: endOf(match[1]!), destination: endOf(match[2]!), port: /^\d+$/.test(port) ? `TCP ${port}` : port };
}

export function edgeText({ source, destination, port }: Omit<EditRequest, "action">): string {
  return `${nameOf(source)}→${nameOf(destination)}${port === "" ? "" : `:${port}`}`;
}

function endOf(text: string): FlowEnd {
  const slash = text.indexOf("/");
  return { namespace: text.slice(0, Math.max(0, slash)), workload: text.slice(slash + 1) };
}

function nameOf({ namespace, workload }: FlowEnd): string {
  return `${namespace}/${workload}`;
}
