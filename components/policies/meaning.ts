import type { PolicyDocument } from "../../policy/parse/documents.ts";

/**
 * A text that is the same for documents that decide the same: all of them but where it stands in a file. Texts with one meaning have
 * one answer, so a comment or a blank line costs no judging. What can't be told from outside (functions, objects of classes) never
 * counts as the same.
 */
export function meaningOf(documents: readonly PolicyDocument[]): string {
  return JSON.stringify(documents, written);
}

let unlike = 0;

function written(this: unknown, key: string, value: unknown): unknown {
  if (key === "position") return undefined;
  if (typeof value === "function" || typeof value === "symbol") return `unlike ${unlike++}`;
  if (typeof value === "bigint") return `bigint ${value}`;
  if (value === Infinity || value === -Infinity || Number.isNaN(value)) return `number ${String(value)}`;
  if (value === undefined) return "undefined";
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  if (value instanceof Map) return ["Map", ...value];
  if (value instanceof Set) return ["Set", ...value];
  if (value instanceof Uint8Array || value instanceof Uint32Array) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? value : `unlike ${unlike++}`;
}
