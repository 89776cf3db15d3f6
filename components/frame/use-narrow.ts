"use client";

import { useEffect, useState } from "react";

/** True below `px` CSS pixels of the window; false until the page is in a browser. */
export function useNarrow(px: number): boolean {
  const [narrow, setNarrow] = useState(false);
  useEffect(() => {
    const query = matchMedia(`(max-width: ${px - 1}px)`);
    const read = (): void => setNarrow(query.matches);
    read();
    query.addEventListener("change", read);
    return () => query.removeEventListener("change", read);
  }, [px]);
  return narrow;
}
