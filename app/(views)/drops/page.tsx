import type { Metadata } from "next";
import { DropsPage } from "../../../components/drops/DropsPage.tsx";

export const metadata: Metadata = { title: "Drops" };

export default function Page() {
  return <DropsPage />;
}
