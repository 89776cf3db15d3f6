/** What was changed of a text, small where little was: a page that is left has room for a change, not for megabytes. */
export interface TextPatch {
  /** Of the text that it is for. */
  readonly length: number;
  readonly hash: number;
  /** `insert` stands in the place of the characters from `from` to `to`. */
  readonly from: number;
  readonly to: number;
  readonly insert: string;
}

/** From the first letter that differs to the last. */
export function textPatch(before: string, after: string): TextPatch {
  const most = Math.min(before.length, after.length);
  let from = 0;
  while (from < most && before.charCodeAt(from) === after.charCodeAt(from)) from++;
  let same = 0;
  while (
    same < most - from &&
    before.charCodeAt(before.length - 1 - same) === after.charCodeAt(after.length - 1 - same)
  )
    same++;
  const insert = after.slice(from, after.length - same);
  return { length: before.length, hash: hashOf(before), from, to: before.length - same, insert };
}

/** The text after the change; undefined where it was made of another text, or `patch` is none. */
export function patchedText(before: string, patch: unknown): string | undefined {
  if (typeof patch !== "object" || patch === null) return undefined;
  const { length, hash, from, to, insert } = patch as TextPatch;
  if (length !== before.length || typeof insert !== "string" || hash !== hashOf(before)) return undefined;
  return before.slice(0, from) + insert + before.slice(to);
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
