"use client";

import { PageHead } from "../frame/PageHead.tsx";

/** Service map of the URL's range, filter and scope. */
export function MapPage() {
  return <PageHead title="Service map" />;
}
