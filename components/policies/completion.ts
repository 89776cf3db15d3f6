import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { hoverTooltip, type EditorView, type Tooltip } from "@codemirror/view";
import type { Names } from "./answers.ts";
import type { Field } from "./schema.ts";
import { fieldsAt, placeOf } from "./yaml-path.ts";

const INDENTS_BEFORE = 400; // lines above that are looked at: a policy is shorter

/** Fields of the kind, and labels, namespaces, ports and names that exist in the traffic. */
export function completePolicy(names: () => Names | undefined) {
  return (context: CompletionContext): CompletionResult | null => {
    const line = context.state.doc.lineAt(context.pos);
    const before = line.text.slice(0, context.pos - line.from);
    const first = Math.max(1, line.number - INDENTS_BEFORE);
    const lines: string[] = [];
    for (let number = first; number <= line.number; number++) lines.push(context.state.doc.line(number).text);
    const at = lines.length - 1;
    const value = /^(\s*(?:- +)*)([\w./-]+):\s+(\S*)$/.exec(before);
    if (value !== null) {
      const place = placeOf(lines, at, value[1]!.length);
      const { fields, parent } = fieldsAt(place);
      const options =
        parent?.from === "labels" ? labelValues(names(), value[2]!) : valueOptions(fields[value[2]!], names());
      return options.length === 0 ? null : { from: context.pos - value[3]!.length, options, validFor: /^[\w./-]*$/ };
    }
    const key = /^(\s*(?:- +)*)([\w./-]*)$/.exec(before);
    if (key === null || (key[2] === "" && !context.explicit && !/^\s*-? *$/.test(before))) return null;
    if (key[2] === "" && !context.explicit && before.trim() === "" && line.number === 1 && context.state.doc.length > 0)
      return null;
    const place = placeOf(lines, at, key[1]!.length);
    const { fields, parent } = fieldsAt(place);
    const column = key[1]!.length;
    const options: Completion[] =
      parent?.from === "labels"
        ? labelKeys(names())
        : before.includes("-") && parent !== undefined && parent.values !== undefined
          ? parent.values.map((label) => ({ label, type: "enum" }))
          : Object.entries(fields).map(([label, field]) => ({
              label,
              type: "property",
              info: field.says,
              detail: field.is === "text" ? "" : field.is,
              apply: written(label, field, column),
            }));
    return options.length === 0 ? null : { from: context.pos - key[2]!.length, options, validFor: /^[\w./-]*$/ };
  };
}

/** What a field's name brings with it: a colon, and for a list its first item. */
function written(label: string, { is }: Field, column: number): string {
  if (is === "text") return `${label}: `;
  return `${label}:\n${" ".repeat(column + 2)}${is === "list" ? "- " : ""}`;
}

function valueOptions(field: Field | undefined, names: Names | undefined): Completion[] {
  if (field === undefined) return [];
  const options: Completion[] = (field.values ?? []).map((label) => ({ label, type: "enum" }));
  if (names === undefined) return options;
  if (field.from === "namespaces")
    options.push(...names.namespaces.map((label) => ({ label, type: "namespace", detail: "seen" })));
  if (field.from === "ports")
    options.push(
      ...names.ports.map(({ protocol, port, connections }) => ({
        label: String(port),
        type: "constant",
        detail: `${protocol}, ${connections.toLocaleString("en-US")} conns`,
        boost: Math.min(90, Math.log10(connections + 1) * 10),
      })),
    );
  if (field.from === "domains")
    options.push(...names.domains.map((label) => ({ label, type: "text", detail: "seen" })));
  return options;
}

function labelKeys(names: Names | undefined): Completion[] {
  const known = (names?.labels ?? []).map(({ key, values }) => ({
    label: key,
    type: "property",
    detail: `${values.length} ${values.length === 1 ? "value" : "values"}`,
    apply: `${key}: `,
  }));
  return [
    ...known,
    {
      label: "kubernetes.io/metadata.name",
      type: "property",
      detail: "the namespace's name",
      apply: "kubernetes.io/metadata.name: ",
    },
  ];
}

function labelValues(names: Names | undefined, key: string): Completion[] {
  if (key === "kubernetes.io/metadata.name")
    return (names?.namespaces ?? []).map((label) => ({ label, type: "namespace", detail: "seen" }));
  return (names?.labels.find((it) => it.key === key)?.values ?? []).map((label) => ({
    label,
    type: "text",
    detail: "seen",
  }));
}

/** What a field means, where the pointer rests on its name. */
export const fieldHover = hoverTooltip((view: EditorView, pos: number): Tooltip | null => {
  const line = view.state.doc.lineAt(pos);
  const key = /^(\s*(?:- +)*)([\w./-]+):/.exec(line.text);
  if (key === null) return null;
  const from = line.from + key[1]!.length;
  const to = from + key[2]!.length;
  if (pos < from || pos > to) return null;
  const first = Math.max(1, line.number - INDENTS_BEFORE);
  const lines: string[] = [];
  for (let number = first; number <= line.number; number++) lines.push(view.state.doc.line(number).text);
  const field = fieldsAt(placeOf(lines, lines.length - 1, key[1]!.length)).fields[key[2]!];
  if (field === undefined) return null;
  return {
    pos: from,
    end: to,
    above: true,
    create() {
      const dom = document.createElement("div");
      dom.className = "cm-field-hover";
      dom.append(Object.assign(document.createElement("b"), { textContent: key[2]! }), ` ${field.says}`);
      if (field.values !== undefined)
        dom.append(Object.assign(document.createElement("p"), { textContent: field.values.join(", ") }));
      return { dom };
    },
  };
});
