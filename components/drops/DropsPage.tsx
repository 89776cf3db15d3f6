"use client";

import { Suspense } from "react";
import { Drops } from "./Drops.tsx";

/** Drops and failed connections of the URL's range, filter and scope. */
export function DropsPage() {
  return (
    <Suspense>
      <Drops />
    </Suspense>
  );
}
