/** Exit codes that shells give to who was ended by a signal: 128 and its number. */
const CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Why a command ended before its answer: somebody asked it to. Needs no words. */
class Interrupted extends Error {
  readonly exitCode: number;

  constructor(name: keyof typeof CODES) {
    super(name);
    this.exitCode = CODES[name];
  }
}

/** One Ctrl-C can come twice: from the terminal to the whole group, and once more from npm, which hands it on. */
const SAME_KEY_MS = 1500;

/** A signal that fires at the first Ctrl-C, SIGTERM or SIGHUP. A second Ctrl-C, later, ends the process at once. */
export function untilSignal(): AbortSignal {
  const controller = new AbortController();
  let firstAt = Infinity;
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => {
      const again = controller.signal.aborted && performance.now() - firstAt > SAME_KEY_MS;
      if (again && name === "SIGINT") process.exit(CODES.SIGINT);
      firstAt = Math.min(firstAt, performance.now());
      controller.abort(new Interrupted(name));
    });
  }
  return controller.signal;
}

/** The exit code of a failure that is only such a signal, at whatever depth; undefined = it is something else. */
export function interruption(error: unknown): number | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if (at instanceof Interrupted) return at.exitCode;
  }
  return undefined;
}

/** Resolves when `signal` fires. */
export function fired(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
