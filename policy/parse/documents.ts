import { Cursor, Problems, quote } from "./reader.ts";
import { nearestName, type PolicyProblem, type Position } from "./problem.ts";
import { parseYaml, type YamlNode, type YamlSource } from "./yaml.ts";

/**
 * A document of a kind that an engine reads. Each kind's parser adds its own spec type: the engines narrow by `kind` and
 * `group` (`networking.k8s.io`, `cilium.io`, `projectcalico.org`), since NetworkPolicy is a kind of two groups.
 */
export interface PolicyDocument {
  /** The API group of the canonical form: crd.projectcalico.org/v1 reads as `projectcalico.org`. */
  readonly group: string;
  readonly kind: string;
  /** "" for cluster-wide kinds. */
  readonly namespace: string;
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  /** As written: `projectcalico.org/v3`. */
  readonly apiVersion: string;
  readonly position: Position;
  /** The parsed spec, of the type that (group, kind) says; see each parser's narrowing function. */
  readonly spec: unknown;
}

/** The head of a document, before its spec is read. */
export interface DocumentHead {
  readonly group: string;
  readonly version: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly position: Position;
}

/**
 * Reads one kind: the whole document behind `document`, the head already read. Returns its spec, or undefined when errors make
 * it unusable (all of them noted through the cursors).
 */
export type KindParser = (document: Cursor, head: DocumentHead) => unknown;

export interface KindEntry {
  /** API versions, as `group/version`. */
  readonly apiVersions: readonly string[];
  readonly kind: string;
  /** Group of the canonical form. */
  readonly group: string;
  readonly namespaced: boolean;
  readonly parse: KindParser;
}

export interface ParsedPolicies {
  readonly documents: readonly PolicyDocument[];
  readonly problems: readonly PolicyProblem[];
}

const MAX_LIST_DEPTH = 2;

/** Every document of a file in the kinds of `kinds`; `List`s are opened. Never throws; documents with errors are left out. */
export function parseDocuments(text: string, file: string, kinds: readonly KindEntry[]): ParsedPolicies {
  const { documents: trees, problems } = parseYaml(text, file);
  const documents: PolicyDocument[] = [];
  const all: PolicyProblem[] = [...problems];
  for (const { root, source } of trees) openDocument(root, source, "", kinds, documents, all, 0);
  return { documents, problems: all };
}

function openDocument(
  root: YamlNode,
  source: YamlSource,
  path: string,
  kinds: readonly KindEntry[],
  documents: PolicyDocument[],
  all: PolicyProblem[],
  depth: number,
): void {
  const problems = new Problems();
  const cursor = new Cursor(root, path, source, problems);
  const fields = cursor.fields();
  const kind = fields?.get("kind")?.string("a kind") ?? "";
  const apiVersion = fields?.get("apiVersion")?.string("group/version") ?? "";
  if (
    fields !== undefined &&
    kind.endsWith("List") &&
    fields.get("items")?.node.kind === "list" &&
    depth < MAX_LIST_DEPTH
  ) {
    for (const item of fields.get("items")?.items() ?? [])
      openDocument(item.node, source, item.path, kinds, documents, all, depth + 1);
    return;
  }
  const document = fields === undefined ? undefined : readDocument(cursor, kind, apiVersion, kinds);
  all.push(...problems.list);
  if (document !== undefined && !problems.hasErrors) documents.push(document);
}

function readDocument(
  cursor: Cursor,
  kind: string,
  apiVersion: string,
  kinds: readonly KindEntry[],
): PolicyDocument | undefined {
  const fields = cursor.fields();
  if (fields === undefined) return undefined;
  if (kind === "" || apiVersion === "") {
    cursor.problem(
      "apiVersion or kind is missing",
      "apiVersion: networking.k8s.io/v1, kind: NetworkPolicy or the like",
    );
    return undefined;
  }
  const entry = kinds.find((known) => known.kind === kind && known.apiVersions.includes(apiVersion));
  if (entry === undefined) return refuseKind(cursor, kind, apiVersion, kinds);
  const meta = fields.need("metadata", "metadata with a name")?.fields();
  const name = meta?.need("name", "a name")?.string("a name") ?? "";
  const namespace = entry.namespaced ? (meta?.get("namespace")?.string("a namespace") ?? "default") : "";
  const labels = meta?.get("labels")?.stringMap() ?? new Map<string, string>();
  const head: DocumentHead = {
    group: entry.group,
    version: apiVersion.split("/")[1] ?? "",
    apiVersion,
    kind,
    namespace,
    name,
    labels,
    position: cursor.position,
  };
  const spec = entry.parse(cursor, head);
  if (spec === undefined) return undefined;
  return { group: entry.group, kind, namespace, name, labels, apiVersion, position: head.position, spec };
}

/** A kind of ours in the wrong version or misspelt is an error; anything else in a Helm output is none of our business. */
function refuseKind(cursor: Cursor, kind: string, apiVersion: string, kinds: readonly KindEntry[]): undefined {
  const versions = kinds.filter((known) => known.kind === kind).flatMap((known) => known.apiVersions);
  const groups = new Set(kinds.flatMap((known) => known.apiVersions).map((version) => version.split("/")[0]));
  if (versions.length > 0) cursor.problem(`${kind} of ${quote(apiVersion)} is not known`, versions.join(" or "));
  else if (groups.has(apiVersion.split("/")[0] ?? "")) {
    const near = nearestName(kind, [...new Set(kinds.map((known) => known.kind))]);
    if (near !== undefined) cursor.problem(`kind ${quote(kind)} is not known`, near);
    else cursor.warning(`kind ${quote(kind)} is no policy and is left out`);
  } else cursor.warning(`kind ${quote(kind)} is no policy and is left out`);
  return undefined;
}
