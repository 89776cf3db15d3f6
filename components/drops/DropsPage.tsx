"use client";

import { PageHead } from "../frame/PageHead.tsx";

/** Drops of the URL's range, filter and scope. */
export function DropsPage() {
  return <PageHead title="Drops" />;
}
