import { expect, test } from "vitest";
import { afterAction, keepDrafts, readDrafts, type Drafts } from "./drafts.ts";
import { edgeText, parseEdge } from "./edge-text.ts";
import { shareHash, sharedDrafts } from "./share.ts";

const NONE: Drafts = { files: [], active: undefined };

function memory(): Storage {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  } as unknown as Storage;
}

test("what is kept is read again, with names that stay unique", () => {
  const storage = memory();
  let drafts = afterAction(NONE, { kind: "add", name: "web.yaml", text: "a: 1\n" });
  drafts = afterAction(drafts, { kind: "add", name: "web.yaml", text: "b: 2\n", inForce: true });
  expect(drafts.files.map((file) => file.name)).toEqual(["web.yaml", "web-2.yaml"]);
  drafts = afterAction(drafts, { kind: "edit", id: drafts.files[1]!.id, text: "b: 3\n" });
  expect(keepDrafts(storage, drafts)).toBe(true);
  expect(readDrafts(storage)).toEqual(JSON.parse(JSON.stringify(drafts)));
  expect(readDrafts(storage).files[1]!.inForce).toBe("b: 2\n");
});

test("a closed tab keeps its file; a deleted one is gone", () => {
  let drafts = afterAction(NONE, { kind: "add", name: "a.yaml", text: "" });
  drafts = afterAction(drafts, { kind: "add", name: "b.yaml", text: "" });
  drafts = afterAction(drafts, { kind: "close", id: drafts.active! });
  expect(drafts.files).toHaveLength(2);
  expect(drafts.files.find((file) => file.id === drafts.active)?.name).toBe("a.yaml");
  drafts = afterAction(drafts, { kind: "delete", id: drafts.active! });
  expect(drafts.files.map((file) => file.name)).toEqual(["b.yaml"]);
  expect(drafts.active).toBeUndefined();
});

test("storage that holds something else counts as empty", () => {
  for (const text of ["", "[]", "null", '{"files": 3}', '{"files": [{"id": 1}]}'])
    expect(readDrafts({ getItem: () => text }).files).toEqual([]);
});

test("files come out of a link as they went in; a damaged link gives none", async () => {
  const files = [{ name: "web.yaml", text: "# grüße\nkind: NetworkPolicy\n".repeat(200), inForce: true }];
  const hash = await shareHash(files);
  expect(hash.length).toBeLessThan(500);
  expect(await sharedDrafts(hash)).toEqual(files);
  expect(await sharedDrafts(hash.slice(0, -20))).toBeUndefined();
  expect(await sharedDrafts("#page")).toBeUndefined();
});

test("an edge in a link is read as it was written, with and without a port", () => {
  const edge = {
    source: { namespace: "shop", workload: "web" },
    destination: { namespace: "", workload: "api.example.com" },
    port: "TCP 443",
  };
  expect(parseEdge(edgeText(edge))).toEqual(edge);
  expect(parseEdge(edgeText({ ...edge, port: "" }))).toEqual({ ...edge, port: "" });
  expect(parseEdge("shop/web→shop/db:5432")).toMatchObject({ port: "TCP 5432" });
  expect(parseEdge("nonsense")).toBeUndefined();
});
