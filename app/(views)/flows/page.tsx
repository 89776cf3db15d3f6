import type { Metadata } from "next";
import { FlowsPage } from "../../../components/flows/FlowsPage.tsx";

export const metadata: Metadata = { title: "Flows" };

export default function Page() {
  return <FlowsPage />;
}
