import { expect, test } from "vitest";
import { afterAction, draftsOf, NO_DRAFTS, type Drafts } from "./drafts.ts";
import { draftsOfRecords, leftFiles, unkept, withLeft } from "./drafts-store.ts";
import { edgeText, parseEdge } from "./edge-text.ts";
import { shareHash, sharedDrafts } from "./share.ts";

const FOLDER = new Map([["policies/web.yaml", "a: 1\n"]]);

test("what is kept is read again, with names that stay unique", () => {
  let drafts = afterAction(NO_DRAFTS, { kind: "add", name: "web.yaml", text: "a: 1\n" });
  drafts = afterAction(drafts, { kind: "add", name: "web.yaml", text: "b: 2\n", inForce: true });
  expect(drafts.files.map((file) => file.name)).toEqual(["web.yaml", "web-2.yaml"]);
  drafts = afterAction(drafts, { kind: "edit", id: drafts.files[1]!.id, text: "b: 3\n" });
  const head = { id: "head", order: drafts.files.map((file) => file.id), active: drafts.active };
  expect(draftsOfRecords([head, ...drafts.files.toReversed()])).toEqual(drafts);
});

test("only files that changed are written, and what a page left behind is laid over what was kept", () => {
  const kept = ["a", "b", "c"].reduce<Drafts>(
    (all, name) => afterAction(all, { kind: "add", name: `${name}.yaml`, text: "" }),
    NO_DRAFTS,
  );
  const [a, b, c] = kept.files.map((file) => file.id) as [string, string, string];
  let now = afterAction(kept, { kind: "edit", id: b, text: "b: 2\n" });
  now = afterAction(now, { kind: "delete", id: a });
  expect(unkept(kept, now)).toEqual({ files: [now.files[0]], gone: [a] });
  const left = { ...unkept(kept, now), order: [b, c], active: b };
  expect(withLeft(kept, JSON.parse(JSON.stringify(left)))).toEqual({ ...now, active: b });
  expect(withLeft(kept, "nonsense")).toBe(kept);
});

test("a file of the folder follows its disk until it is edited, and is forgotten when its tab is closed unedited", () => {
  const opened = afterAction(NO_DRAFTS, { kind: "open from folder", name: "policies/web.yaml", disk: "a: 1\n" });
  expect(opened.files[0]).toMatchObject({ text: "a: 1\n", inForce: "a: 1\n", fromFolder: true });
  expect(afterAction(opened, { kind: "close", id: opened.active! }).files).toEqual([]);
  expect(afterAction(opened, { kind: "folder changed", files: FOLDER })).toBe(opened);
  const changed = new Map([["policies/web.yaml", "a: 2\n"]]);
  const followed = afterAction(opened, { kind: "folder changed", files: changed });
  expect(followed.files[0]).toMatchObject({ text: "a: 2\n", inForce: "a: 2\n" });
  const edited = afterAction(opened, { kind: "edit", id: opened.active!, text: "a: 9\n" });
  expect(afterAction(edited, { kind: "folder changed", files: changed }).files[0]).toMatchObject({
    text: "a: 9\n",
    inForce: "a: 2\n",
  });
  expect(afterAction(edited, { kind: "close", id: edited.active! }).files).toHaveLength(1);
  const gone = new Map<string, string>();
  expect(afterAction(opened, { kind: "folder changed", files: gone })).toEqual({ files: [], active: undefined });
  expect(afterAction(edited, { kind: "folder changed", files: gone }).files[0]).toMatchObject({
    text: "a: 9\n",
    inForce: undefined,
  });
});

test("several files are opened with one tab", () => {
  const drafts = afterAction(NO_DRAFTS, {
    kind: "add all",
    files: [
      { name: "a.yaml", text: "" },
      { name: "b.yaml", text: "" },
    ],
  });
  expect(drafts.files.map((file) => [file.name, file.open])).toEqual([
    ["a.yaml", true],
    ["b.yaml", false],
  ]);
  expect(drafts.active).toBe(drafts.files[0]?.id);
});

test("of a large file a page leaves the change, which is none for another text than the one that is kept", () => {
  const text = "# a long note\n".repeat(100_000);
  const kept = afterAction(NO_DRAFTS, { kind: "add", name: "large.yaml", text });
  const { id } = kept.files[0]!;
  for (const after of [
    `# typed last\n${text}`,
    `${text}# typed last`,
    `${text.slice(0, 70)}é${text.slice(90)}`,
    text,
  ]) {
    let now = afterAction(kept, { kind: "edit", id, text: after });
    now = afterAction(now, { kind: "in force", id, on: true });
    const left = JSON.stringify({ files: leftFiles(kept, now.files), gone: [], order: [id], active: id });
    expect(left.length).toBeLessThan(1000);
    expect(withLeft(kept, JSON.parse(left))).toEqual(now);
    const newer = afterAction(kept, { kind: "edit", id, text: `${text}#` });
    expect(withLeft(newer, JSON.parse(left)).files).toEqual(newer.files);
  }
  expect(leftFiles(NO_DRAFTS, kept.files)).toEqual(kept.files);
});

test("a closed tab keeps its file; a deleted one is gone", () => {
  let drafts = afterAction(NO_DRAFTS, { kind: "add", name: "a.yaml", text: "" });
  drafts = afterAction(drafts, { kind: "add", name: "b.yaml", text: "" });
  drafts = afterAction(drafts, { kind: "close", id: drafts.active! });
  expect(drafts.files).toHaveLength(2);
  expect(drafts.files.find((file) => file.id === drafts.active)?.name).toBe("a.yaml");
  drafts = afterAction(drafts, { kind: "delete", id: drafts.active! });
  expect(drafts.files.map((file) => file.name)).toEqual(["b.yaml"]);
  expect(drafts.active).toBeUndefined();
});

test("storage that holds something else counts as empty", () => {
  for (const kept of [undefined, "", [], null, { files: 3 }, { files: [{ id: 1 }] }])
    expect(draftsOf(kept).files).toEqual([]);
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
