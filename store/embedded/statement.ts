/**
 * What a statement is, told from its words: enough to route it, to name its output format and to keep a reader a reader.
 * It is no parser: strings, quoted names and comments are told apart, the rest are words and signs.
 */

export interface Token {
  /** word: bare or quoted name, without quotes; text: string literal; sign: anything else, one character. */
  readonly kind: "word" | "text" | "sign";
  readonly text: string;
  readonly quoted: boolean;
  readonly at: number;
}

/** The tokens of a statement, at most `limit`: an INSERT may carry megabytes of rows behind its head. */
export function tokens(sql: string, limit = 20_000): Token[] {
  const found: Token[] = [];
  const pattern =
    /\s+|--[^\n]*|#[ !][^\n]*|\/\*[\s\S]*?(?:\*\/|$)|(\$\w*\$)[\s\S]*?\1|'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)|([`"])((?:(?!\2)[^\\]|\\[\s\S]|\2\2)*)(?:\2|$)|([\p{L}_][\p{L}\p{N}_]*)|(\d\w*)|([\s\S])/gu;
  for (const match of sql.matchAll(pattern)) {
    if (found.length === limit) break;
    const at = match.index;
    if (match[1] !== undefined || match[0].startsWith("'"))
      found.push({ kind: "text", text: match[0], quoted: true, at });
    else if (match[2] !== undefined) found.push({ kind: "word", text: unescape(match[3]!), quoted: true, at });
    else if (match[4] !== undefined) found.push({ kind: "word", text: match[4], quoted: false, at });
    else if (match[5] !== undefined || match[6] !== undefined)
      found.push({ kind: "sign", text: match[0], quoted: false, at });
  }
  return found;
}

/** Backslash escapes of a quoted name, as the engine reads them: "\x66ile" is file. */
function unescape(name: string): string {
  return name.replace(/\\x([0-9a-fA-F]{2})|\\([\s\S])/g, (_, hex: string | undefined, char: string | undefined) =>
    hex === undefined ? (char ?? "") : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** The first word in upper case: SELECT, INSERT, …; "" for nothing. Opening brackets before it are passed over. */
export function verbOf(list: readonly Token[]): string {
  for (const token of list) {
    if (token.kind === "sign" && token.text === "(") continue;
    return token.kind === "word" && !token.quoted ? token.text.toUpperCase() : "";
  }
  return "";
}

const READS = new Set(["SELECT", "WITH", "FROM", "SHOW", "DESCRIBE", "DESC", "EXISTS", "EXPLAIN", "VALUES"]);

/**
 * Names that reach out of the store. The engine's own `readonly = 1` is not enough: a subquery may carry `SETTINGS readonly = 0`,
 * the scalar function file() and INTO OUTFILE do not ask (all three tried; statement.test.ts keeps it so).
 */
const OUTSIDE =
  /^(file|fileCluster|url|urlCluster|urlWithHeaders|s3|s3Cluster|gcs|hdfs|hdfsCluster|azureBlobStorage|azureBlobStorageCluster|remote|remoteSecure|cluster|clusterAllReplicas|executable|input|infile|python|arrowStream|mysql|postgresql|mongodb|mongo|redis|sqlite|jdbc|odbc|oss|cosn|ytsaurus|arrowFlight|filesystem|catboostEvaluate|iceberg\w*|deltaLake\w*|hudi\w*|paimon\w*|dictionary|prometheusQuery\w*|timeSeries\w*|system_shutdown)$/i;

/** Verbs of statements that change something: refused with READONLY. Any other word begins no statement at all. */
const CHANGES = new Set(
  (
    "INSERT CREATE DROP ALTER KILL SET USE SYSTEM OPTIMIZE TRUNCATE RENAME ATTACH DETACH GRANT REVOKE BACKUP RESTORE EXCHANGE UNDROP DELETE UPDATE CHECK WATCH " +
    "BEGIN COMMIT ROLLBACK MOVE EXECUTE PARALLEL COPY REPLACE START STOP TRANSACTION"
  ).split(" "),
);

/** True when the statement begins with no word that begins one: a syntax error, whoever asks. */
export function isNoStatement(list: readonly Token[]): boolean {
  const verb = verbOf(list);
  return !READS.has(verb) && !CHANGES.has(verb);
}

/** Why a reader may not run this, or undefined. */
export function refusal(list: readonly Token[]): string | undefined {
  const verb = verbOf(list);
  if (!READS.has(verb)) return `${verb === "" ? "this statement" : verb} is not a read`;
  const word = (at: number) => (list[at]?.kind === "word" ? list[at].text.toUpperCase() : "");
  const sign = (at: number) => (list[at]?.kind === "sign" ? list[at].text : "");
  for (let i = 0; i < list.length; i++) {
    if (list[i]!.kind !== "word") {
      if (sign(i) === ";" && i < list.length - 1) return "one statement at a time";
      if (/[‘’“”$\0]/.test(sign(i))) return `${JSON.stringify(sign(i))} outside of a text is not understood here`; // the engine takes “ ” as quotes
      continue;
    }
    if (word(i) === "INTO" && (word(i + 1) === "OUTFILE" || word(i + 1) === "DUMPFILE"))
      return "INTO OUTFILE writes a file";
    if (word(i) === "SETTINGS" && list[i + 1]?.kind === "word" && sign(i + 2) === "=")
      return "a reader's settings are fixed";
    const called = sign(i + 1) === "(" || word(i - 1) === "APPLY" || (sign(i - 1) === "(" && word(i - 2) === "APPLY");
    if (called && OUTSIDE.test(list[i]!.text)) return `${list[i]!.text}() reaches out of the store`;
  }
  return undefined;
}

/** The format that the statement names itself (`… FORMAT CSV`, maybe with SETTINGS or `;` behind it), or undefined. */
export function outputFormat(list: readonly Token[]): string | undefined {
  for (let i = list.length - 2; i > 0; i--) {
    const after = list[i + 2];
    const last = after === undefined || after.text === ";" || after.text.toUpperCase() === "SETTINGS";
    if (last && isBare(list[i]!, "FORMAT") && list[i + 1]!.kind === "word") return list[i + 1]!.text;
  }
  return undefined;
}

function isBare(token: Token, word: string): boolean {
  return token.kind === "word" && !token.quoted && token.text.toUpperCase() === word;
}

/** Names of `{name:Type}` places in a statement. */
export function placeholders(list: readonly Token[]): string[] {
  const names: string[] = [];
  for (let i = 0; i + 2 < list.length; i++) {
    const isSign = (at: number, text: string) => list[at]!.kind === "sign" && list[at]!.text === text;
    if (isSign(i, "{") && list[i + 1]!.kind === "word" && isSign(i + 2, ":")) names.push(list[i + 1]!.text);
  }
  return names;
}

/** `INSERT … FORMAT X` whose rows come from a file: the head, the format, and whether rows follow in the text itself. */
export interface InsertHead {
  readonly head: string;
  readonly format: string;
}

/** The head of an INSERT that ends in FORMAT X (rows come in the body), or undefined: VALUES in the text, INSERT … SELECT. */
export function insertHead(sql: string, list: readonly Token[]): InsertHead | undefined {
  if (verbOf(list) !== "INSERT") return undefined;
  const end = list.at(-1)?.text === ";" ? list.length - 1 : list.length;
  const format = list[end - 1];
  const keyword = list[end - 2];
  if (format?.kind !== "word" || keyword === undefined || !isBare(keyword, "FORMAT")) return undefined;
  return { head: sql.slice(0, keyword.at), format: format.text };
}

/** A string as a literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

/** The path of a `USE`-able name, or undefined. */
export function isName(text: string): boolean {
  return /^[A-Za-z_]\w{0,62}$/.test(text);
}
