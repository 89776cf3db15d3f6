import { redirect } from "next/navigation";

/** The service map is home. What stands in the URL goes along. */
export default async function Home({
  searchParams,
}: {
  searchParams: Promise<Record<string, string | string[] | undefined>>;
}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(await searchParams)) {
    if (typeof value === "string") query.set(name, value);
  }
  redirect(query.size === 0 ? "/map" : `/map?${query.toString()}`);
}
