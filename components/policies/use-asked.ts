"use client";

import { useEffect, useState } from "react";
import type { Response } from "./answers.ts";
import type { WhatIfClient } from "./what-if-client.ts";

export interface Asked<T> {
  readonly answer: T | undefined;
  readonly failure: string | undefined;
}

/** One question to the worker, asked again when `ask` changes (keep it with useCallback; undefined asks nothing). */
export function useAsked<T>(
  client: WhatIfClient | undefined,
  ask: ((client: WhatIfClient) => Promise<Response>) | undefined,
  read: (response: Response) => T | undefined,
): Asked<T> {
  const [asked, setAsked] = useState<Asked<T>>({ answer: undefined, failure: undefined });
  useEffect(() => {
    if (client === undefined || ask === undefined) return;
    let gone = false;
    ask(client).then(
      (response) => (gone ? undefined : setAsked({ answer: read(response), failure: undefined })),
      (error: unknown) => {
        if (gone || (error instanceof DOMException && error.name === "AbortError")) return;
        setAsked({ answer: undefined, failure: error instanceof Error ? error.message : String(error) });
      },
    );
    return () => {
      gone = true;
    };
  }, [client, ask, read]);
  return asked;
}
