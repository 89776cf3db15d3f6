"use client";

import styles from "../plain.module.css";

/** A bug in a page: says so, and what to do. The digest finds the lines in the app's log. */
export default function PageFailed({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  return (
    <div className={styles.page} role="alert">
      <h1>This page failed with an error of its own</h1>
      <p>
        {error.message}
        {error.digest === undefined ? null : <code> {error.digest}</code>}
      </p>
      <p>Nothing that was recorded is touched. Please report what you did before.</p>
      <button type="button" onClick={reset}>
        Draw it again
      </button>
    </div>
  );
}
