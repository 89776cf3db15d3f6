"use client";

import { useEffect, useState } from "react";
import type * as texts from "./reason-texts.ts";

export type ReasonTexts = typeof texts;

/** The texts about reasons, loaded once they are needed; undefined until then, while the kernel's own names stand for them. */
export function useReasonTexts(): ReasonTexts | undefined {
  const [texts, setTexts] = useState<ReasonTexts | undefined>();
  useEffect(() => {
    let gone = false;
    void import("./reason-texts.ts").then((loaded) => {
      if (!gone) setTexts(loaded);
    });
    return () => {
      gone = true;
    };
  }, []);
  return texts;
}
