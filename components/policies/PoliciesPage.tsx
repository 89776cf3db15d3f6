"use client";

import { Suspense } from "react";
import { Policies } from "./Policies.tsx";

/** Policies tried on the traffic of the URL's range, filter and scope. */
export function PoliciesPage() {
  return (
    <Suspense>
      <Policies />
    </Suspense>
  );
}
