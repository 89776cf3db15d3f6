const KEY = Symbol.for("weir.app.shared-answers");
/** A page asks its questions at once: what they share need not be older than that. */
const KEPT_MS = 2_000;
/** A shared answer is nobody's alone, so no one who leaves ends it: the store's own limit does. */
const LIMIT_MS = 60_000;

interface Answers {
  readonly [KEY]?: Map<string, Promise<unknown>>;
}

/**
 * The answer of `ask`, asked once for all who want the same within two seconds. `key` must name everything that it depends on, the
 * viewer's scope, too. A failure is kept from nobody and for nobody. Routes are bundled one by one, so the answers stand at globalThis.
 */
export async function sharedAnswer<T>(key: string, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const shared = globalThis as { -readonly [K in keyof Answers]: Answers[K] };
  const answers = (shared[KEY] ??= new Map<string, Promise<unknown>>());
  const known = answers.get(key) as Promise<T> | undefined; // a key names its question, so its type as well
  if (known !== undefined) return known;
  const asked = ask(AbortSignal.timeout(LIMIT_MS));
  answers.set(key, asked);
  try {
    const answer = await asked;
    setTimeout(() => answers.delete(key), KEPT_MS).unref();
    return answer;
  } catch (thrown) {
    answers.delete(key);
    throw thrown;
  }
}
