/**
 * Strings of strangers (process names, DNS names, container names) made harmless once, where they enter rows: control characters,
 * ESC, and characters that turn the reading direction or are not seen become visible escapes. Sinks still escape for HTML, CSV and SQL.
 */
const HIDDEN =
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** The text with every hidden character as `\xNN` or `\u{NNNN}`, at most `limit` characters long (then it ends in …). */
export function visibleText(text: string, limit = 253): string {
  const shown = text.replace(HIDDEN, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
  return shown.length <= limit ? shown : `${shown.slice(0, limit - 1)}…`;
}
