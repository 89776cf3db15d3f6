import type { Metadata } from "next";
import { MapPage } from "../../../components/map/MapPage.tsx";

export const metadata: Metadata = { title: "Service map" };

export default function Page() {
  return <MapPage />;
}
