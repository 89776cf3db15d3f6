import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";

/**
 * Which requests are answered at all. `Host` must name this app, so that a page of another site cannot reach a loopback
 * app through a name of its own (DNS rebinding); `Origin` of ws and of everything that is not GET must be this app.
 */
export interface Guard {
  /** Undefined: go on. Else the sentence for a 403. */
  refuse(request: IncomingMessage): string | undefined;
}

const LOOPBACK = new Set(["localhost", "127.0.0.1", "::1"]);

/** A name or an address, and a port: nothing that a reader of URLs takes for a user, a path or a query. */
const HOST = /^([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i;

/** `host`: what is listened on; `names`: further names from WEIR_HOST_NAMES. Addresses are taken as they are: no DNS stands behind them. */
export function createGuard(host: string, names: readonly string[]): Guard {
  const known = new Set([...LOOPBACK, host.toLowerCase(), ...names]);
  const listensWide = !LOOPBACK.has(host);
  const isKnown = (name: string): boolean => known.has(name) || (listensWide && isIP(name) !== 0);
  // Behind a proxy that speaks TLS the browser's origin is https; the name by which it asks must have been allowed then.
  const byProxy = new Set(names);
  return {
    refuse(request) {
      const asked = request.headers.host;
      const hostName = asked === undefined || !HOST.test(asked) ? undefined : nameOf(`http://${asked}`);
      if (hostName === undefined || !isKnown(hostName))
        return `this app is not called “${printable(asked)}”; allow the name with WEIR_HOST_NAMES`;
      const safe = request.method === "GET" || request.method === "HEAD";
      if (safe && request.headers.upgrade === undefined) return undefined;
      const origin = request.headers.origin;
      if (origin === undefined) return "a request that changes something, or a WebSocket, needs an Origin";
      // To the letter, as browsers write it: no reading of a URL can be led astray by user names, dots or case.
      if (origin === `http://${asked}` || (byProxy.has(hostName) && origin === `https://${asked}`)) return undefined;
      return `pages of “${printable(origin)}” may not ask this app`;
    },
  };
}

/** Host name of a URL in lower case, IPv6 without brackets; undefined when it is none. */
function nameOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname.toLowerCase().replace(/^\[|\]$/g, "") : undefined;
}

function printable(text: string | undefined): string {
  return (text ?? "").replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 120);
}
