/** One question on one session: check the reader, set what it needs, run or stream, and end the query when its client goes. */
import { randomUUID } from "node:crypto";
import { EngineException, STREAMABLE, type Connection } from "./engine.ts";
import type { Answer } from "./respond.ts";
import type { Question } from "./request.ts";
import type { Role, SessionPool } from "./sessions.ts";
import { isNoStatement, literal, outputFormat, placeholders, refusal, verbOf } from "./statement.ts";

/** Verbs that the engine can stream. The rest is answered whole. */
const STREAMED = new Set(["SELECT", "WITH"]);

/** Answers `question` as `role` may. Throws EngineException; what is running ends when `gone` fires. */
export async function runQuestion(
  question: Question,
  role: Role,
  pool: SessionPool,
  out: Answer,
  gone: AbortSignal,
): Promise<void> {
  if (role === "reader") checkReader(question);
  const lease = await pool.lease(role, gone);
  const mark = `/* weir ${randomUUID()} */`; // the engine's C interface takes no query id: the mark finds the query in system.processes
  const kill = () => void pool.kill(mark).catch(() => undefined); // nothing to end any more
  gone.addEventListener("abort", kill);
  try {
    await lease.prepare({
      database: question.database,
      params: question.params,
      settings: role === "writer" ? question.settings : new Map(),
    });
    const stale = lease.stale(placeholders(question.tokens), question.params);
    if (stale !== undefined)
      throw new EngineException(
        `Code: 456. DB::Exception: Substitution \`${stale}\` is not set. (UNKNOWN_QUERY_PARAMETER)`,
      );
    gone.throwIfAborted();
    await ask(question, lease.connection, mark, out, gone);
  } finally {
    gone.removeEventListener("abort", kill);
    await lease.release();
  }
}

function checkReader(question: Question): void {
  if (isNoStatement(question.tokens)) {
    throw new EngineException(
      `Code: 62. DB::Exception: Syntax error: failed at position 1 (${question.sql.slice(0, 40)}): it begins no statement. (SYNTAX_ERROR)`,
    );
  }
  const why = question.body !== undefined ? "INSERT is not a read" : refusal(question.tokens);
  if (why !== undefined)
    throw new EngineException(`Code: 164. DB::Exception: Cannot execute query in readonly mode: ${why}. (READONLY)`);
  for (const name of question.settings.keys()) {
    if (name === "max_execution_time") continue; // Grafana's client always sends one; the reader's own limit holds
    throw new EngineException(`Code: 164. DB::Exception: Cannot modify '${name}' setting in readonly mode. (READONLY)`);
  }
}

async function ask(
  question: Question,
  connection: Connection,
  mark: string,
  out: Answer,
  gone: AbortSignal,
): Promise<void> {
  if (question.body !== undefined) {
    const { head, path, format } = question.body;
    const done = await connection.run(`${mark} ${head} FROM INFILE ${literal(path)} FORMAT ${format}`);
    out.begin("TabSeparated", false, {
      readRows: done.rowsRead,
      readBytes: done.bytesRead,
      writtenRows: done.rowsRead,
      resultRows: 0,
      seconds: done.seconds,
    });
    return out.end();
  }
  const verb = verbOf(question.tokens);
  const format = outputFormat(question.tokens) ?? question.defaultFormat ?? "TabSeparated";
  // Behind the text, so that positions in the engine's messages stay right; before it where rows may follow.
  const marked =
    verb === "INSERT" || question.sql.length > 50_000
      ? `${mark} ${question.sql}`
      : `${question.sql.replace(/[\s;]+$/, "")}\n${mark}`;
  if (STREAMED.has(verb) && STREAMABLE.has(format) && !question.whole)
    return stream(connection.stream(marked, format), format, question.gzip, out, gone);
  const done = await connection.run(marked, format);
  out.begin(format, question.gzip, {
    readRows: done.rowsRead,
    readBytes: done.bytesRead,
    writtenRows: 0,
    resultRows: 0,
    seconds: done.seconds,
  });
  await out.write(done.bytes, gone);
  out.end();
}

/** Sends the head only when the first chunk is there: until then an exception still has its own status. */
async function stream(
  chunks: AsyncGenerator<{ readonly bytes: Uint8Array }, void, undefined>,
  format: string,
  gzip: boolean,
  out: Answer,
  gone: AbortSignal,
): Promise<void> {
  let begun = false;
  for await (const { bytes } of chunks) {
    if (!begun) out.begin(format, gzip, undefined);
    begun = true;
    await out.write(bytes, gone);
  }
  if (!begun) out.begin(format, gzip, undefined);
  out.end();
}
