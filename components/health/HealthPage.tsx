"use client";

import { PageHead } from "../frame/PageHead.tsx";

/** Health of the URL's range, filter and scope. */
export function HealthPage() {
  return <PageHead title="Health" />;
}
