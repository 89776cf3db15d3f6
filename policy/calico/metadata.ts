import { quote, type Cursor, type Fields } from "../parse/reader.ts";

/** Rules for names, labels and annotations: libcalico-go/lib/validator/v3/validator.go 3.32.1 and Kubernetes' own for labels. */
const LABEL = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN = `${LABEL}(?:\\.${LABEL})*`;
const NAME_RULES = {
  subdomain: {
    pattern: new RegExp(`^${SUBDOMAIN}$`),
    longest: 253,
    expected: "lower-case letters, digits, - and ., at most 253",
  },
  /** The API server writes it into a label, too. */
  policyTier: {
    pattern: new RegExp(`^${SUBDOMAIN}$`),
    longest: 63,
    expected: "lower-case letters, digits, - and ., at most 63",
  },
  tier: { pattern: new RegExp(`^${LABEL}$`), longest: 63, expected: "lower-case letters, digits and -, at most 63" },
  global: {
    pattern: new RegExp(`^(?:${LABEL}\\.)?${LABEL}$`),
    longest: 253,
    expected: "lower-case letters, digits and -, with one dot at most",
  },
  namespaced: {
    pattern: new RegExp(`^(?:${LABEL}(?:\\.${LABEL})?|(?:knp|ossg)\\.default\\.${SUBDOMAIN})$`),
    longest: 253,
    expected: "lower-case letters, digits and -, with one dot at most (or knp.default.NAME)",
  },
} as const;
export type NameRule = keyof typeof NAME_RULES;

const ANNOTATIONS_BYTES = 256 * 1024;
const METADATA_FIELDS = [
  "name",
  "generateName",
  "namespace",
  "labels",
  "annotations",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "ownerReferences",
  "finalizers",
  "managedFields",
  "selfLink",
] as const;

/** The document's top fields once metadata is checked; `spec` may be absent. */
export function readMetadata(document: Cursor, rule: NameRule): Fields | undefined {
  const fields = document.fields(["apiVersion", "kind", "metadata", "spec", "status"]);
  const metadata = fields?.get("metadata")?.fields(METADATA_FIELDS);
  if (metadata === undefined) return fields;
  const name = metadata.get("name");
  if (name?.node.kind === "scalar" && typeof name.node.value === "string") checkName(name, name.node.value, rule);
  for (const [key, value] of metadata.get("labels")?.stringMap() ?? []) {
    const place = metadata.get("labels")!;
    checkQualifiedName(place, key, "label");
    if (!LABEL_VALUE.test(value))
      place.problem(
        `${quote(value)} is no value of a label`,
        "at most 63 letters, digits, -, _ and ., a letter or digit at each end",
      );
  }
  checkAnnotations(metadata.get("annotations"));
  return fields;
}

/** Notes what is wrong with a name. */
export function checkName(place: Cursor, name: string, rule: NameRule): boolean {
  const { pattern, longest, expected } = NAME_RULES[rule];
  if (name.length <= longest && pattern.test(name)) return true;
  place.problem(`${quote(name)} is no name here`, expected);
  return false;
}

export function checkAnnotations(annotations: Cursor | undefined): void {
  if (annotations === undefined) return;
  let size = 0;
  for (const [key, value] of annotations.stringMap() ?? []) {
    checkQualifiedName(annotations, key.toLowerCase(), "annotation");
    size += key.length + value.length;
  }
  if (size > ANNOTATIONS_BYTES) annotations.problem(`annotations of ${size} bytes`, `at most ${ANNOTATIONS_BYTES}`);
}

const QUALIFIED = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const PREFIX = new RegExp(`^${SUBDOMAIN}$`);

function checkQualifiedName(place: Cursor, key: string, what: "label" | "annotation"): void {
  const slash = key.lastIndexOf("/");
  const prefix = slash < 0 ? undefined : key.slice(0, slash);
  const name = key.slice(slash + 1);
  const prefixFine = prefix === undefined || (prefix.length <= 253 && PREFIX.test(prefix));
  if (prefixFine && name.length <= 63 && QUALIFIED.test(name)) return;
  place.problem(
    `${quote(key)} is no name of ${what === "label" ? "a label" : "an annotation"}`,
    "NAME or domain/NAME, NAME at most 63 letters, digits, -, _ and .",
  );
}
