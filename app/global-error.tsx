"use client";

/** When the document itself fails: no frame, no styles, only words. */
export default function AppFailed({ error }: { error: Error & { digest?: string } }) {
  return (
    <html lang="en">
      <body>
        <h1>Weir failed to draw this page</h1>
        <p>
          {error.message} {error.digest}
        </p>
        <a href="/map">Open the service map</a>
      </body>
    </html>
  );
}
