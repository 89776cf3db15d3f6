/**
 * Strings of strangers (process names, DNS names, container names) made harmless once, where they enter rows: control characters,
 * ESC, and characters that turn the reading direction or are not seen become visible escapes. Sinks still escape for HTML, CSV and SQL.
 */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu; // controls, formats (bidi, zero width, tags), separators of lines, lone surrogates

/** The text with every hidden character as `\xNN` or `\u{NNNN}`, at most `limit` characters long (then it ends in …). */
export function visibleText(text: string, limit = 253): string {
  const shown = text.replace(HIDDEN, (character) => {
    const code = character.codePointAt(0)!;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
  return shown.length <= limit ? shown : `${shown.slice(0, limit - 1)}…`;
}
