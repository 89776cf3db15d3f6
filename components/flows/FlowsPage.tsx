"use client";

import { PageHead } from "../frame/PageHead.tsx";

/** Flows of the URL's range, filter and scope. */
export function FlowsPage() {
  return <PageHead title="Flows" />;
}
