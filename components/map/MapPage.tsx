"use client";

import { Suspense } from "react";
import { ServiceMap } from "./ServiceMap.tsx";

/** Service map of the URL's range, filter and scope. */
export function MapPage() {
  return (
    <Suspense>
      <ServiceMap />
    </Suspense>
  );
}
