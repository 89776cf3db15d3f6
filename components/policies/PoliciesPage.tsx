"use client";

import { PageHead } from "../frame/PageHead.tsx";

/** Policies of the URL's range, filter and scope. */
export function PoliciesPage() {
  return <PageHead title="Policies" />;
}
