"use client";

import { Copy, Link2 } from "lucide-react";
import { PROFILES, type Profile } from "../../policy/world.ts";
import { Button } from "../parts/Button.tsx";
import { count } from "../parts/numbers.ts";
import { Segmented } from "../parts/Segmented.tsx";
import styles from "./Policies.module.css";
import { MOST_LINK, shareHash } from "./share.ts";
import type { DraftsState } from "./use-drafts.ts";
import type { PoliciesState, PoliciesView } from "./use-policies-state.ts";

const VIEW_WORDS: Readonly<Record<PoliciesView, string>> = {
  editor: "Editor",
  coverage: "Coverage",
  generate: "Generate",
  compare: "Compare",
  matrix: "Matrix",
};
const PROFILE_WORDS: Readonly<Record<Profile, string>> = {
  kubernetes: "Kubernetes",
  cilium: "Cilium",
  calico: "Calico",
};

/** Views of the page, whose reading counts, and ways to take the texts elsewhere. */
export function HeadTools({
  state,
  drafts,
  narrow,
  onNotice,
}: {
  readonly state: PoliciesState;
  readonly drafts: DraftsState;
  readonly narrow: boolean;
  onNotice(text: string): void;
}) {
  const { files } = drafts.drafts;
  const active = files.find((file) => file.id === drafts.drafts.active);
  const share = async (): Promise<void> => {
    const hash = await shareHash(
      files.map(({ name, text, inForce }) => ({ name, text, inForce: inForce !== undefined })),
    );
    if (hash.length > MOST_LINK)
      return onNotice(
        `The link would have ${count(hash.length)} characters, more than most programs take. Download the files instead.`,
      );
    await navigator.clipboard.writeText(location.origin + location.pathname + location.search + hash);
    onNotice(
      `Link with ${count(files.length)} ${files.length === 1 ? "file" : "files"} copied. The texts are in the link itself; no server keeps them.`,
    );
  };
  return (
    <>
      <span className={styles.views}>
        <Segmented
          label="View of policies"
          value={state.view}
          onChange={state.setView}
          options={(Object.keys(VIEW_WORDS) as PoliciesView[])
            .filter((view) => !narrow || view !== "matrix")
            .map((value) => ({ value, label: narrow && value === "editor" ? "Impact" : VIEW_WORDS[value] }))}
        />
      </span>
      {narrow ? null : (
        <>
          <label className={styles.judgeAs} title="Whose reading of the policies counts where engines differ">
            Judge as
            <select
              value={state.as ?? ""}
              onChange={(event) => state.setAs(PROFILES.find((profile) => profile === event.target.value))}
            >
              <option value="">each kind's own engine</option>
              {PROFILES.map((profile) => (
                <option key={profile} value={profile}>
                  {PROFILE_WORDS[profile]}
                </option>
              ))}
            </select>
          </label>
          <Button
            disabled={files.length === 0}
            onClick={() => void share().catch(() => onNotice("The browser let no link be copied."))}
          >
            <Link2 size={14} aria-hidden="true" />
            Share
          </Button>
          <Button
            disabled={active === undefined}
            onClick={() =>
              void navigator.clipboard.writeText(active?.text ?? "").then(
                () => onNotice("YAML copied."),
                () => onNotice("The browser let nothing be copied."),
              )
            }
          >
            <Copy size={14} aria-hidden="true" />
            Copy YAML
          </Button>
        </>
      )}
    </>
  );
}
