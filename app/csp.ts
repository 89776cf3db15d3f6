import { randomBytes } from "node:crypto";

/**
 * The policy of one page: scripts and styles only from this app or with this answer's nonce; nothing inline else.
 * Next reads the nonce from the request's header of the same name and puts it on its own tags.
 */
export function contentSecurityPolicy(dev: boolean): string {
  const nonce = randomBytes(16).toString("base64");
  return [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'${dev ? " 'unsafe-eval'" : ""}`, // React's development build evaluates stacks
    `style-src 'self' ${dev ? "'unsafe-inline'" : `'nonce-${nonce}'`}`, // the development server injects styles
    "img-src 'self' blob: data:",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");
}

/** Headers of every answer, page or not. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "x-frame-options": "DENY",
};
