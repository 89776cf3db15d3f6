import { WeirError } from "../../model/errors.ts";

/** Who asks, and what he may see. Every route and every live subscription gets one before any data is read. */
export interface Viewer {
  readonly name: string;
  /** Namespaces he may see; undefined = all. */
  readonly namespaces: readonly string[] | undefined;
}

/** What the URL narrows the view to, within what the viewer may see. `[]` = all that he may. */
export interface ViewScope {
  readonly namespaces: readonly string[];
}

/** Mode `none`: whoever can reach the listening address sees all. Loopback only, unless WEIR_HOST says otherwise. */
export async function viewerOf(_request: Request): Promise<Viewer> {
  return { name: "local", namespaces: undefined };
}

/** The scope that is asked for, cut to the viewer's. Throws WeirError `no-permission` when nothing of it is his. */
export function scopeFor(viewer: Viewer, asked: readonly string[]): ViewScope {
  if (viewer.namespaces === undefined) return { namespaces: asked };
  const allowed = new Set(viewer.namespaces);
  const left = asked.length === 0 ? viewer.namespaces : asked.filter((name) => allowed.has(name));
  if (left.length === 0)
    throw new WeirError({
      code: "no-permission",
      what: `you may not see ${asked.join(", ")}`,
      next: "ask for the right to list pods there",
    });
  return { namespaces: left };
}
