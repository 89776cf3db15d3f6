import { connection } from "next/server";
import type { ReactNode } from "react";
import { Frame } from "../../components/frame/Frame.tsx";

/** The frame around every page. */
export default async function ViewsLayout({ children }: { children: ReactNode }) {
  await connection(); // the clock below is this request's, not the build's
  return <Frame startedAt={Math.floor(Date.now() / 2000) * 2000}>{children}</Frame>;
}
