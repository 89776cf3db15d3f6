"use client";

import { FileInput, FolderInput, Plus } from "lucide-react";
import { useRef, type ReactNode } from "react";
import { Button } from "../parts/Button.tsx";
import { Tooltip } from "../parts/Tooltip.tsx";
import { chosenFiles } from "./file-intake.ts";
import type { DraftsState } from "./use-drafts.ts";

/** Opens files or a folder of this machine as drafts, or begins an empty one. */
export function OpenFiles({ drafts, onNotice }: { readonly drafts: DraftsState; onNotice(text: string): void }) {
  return (
    <>
      <Picker
        label="Open files"
        icon={<FileInput size={14} aria-hidden="true" />}
        drafts={drafts}
        onNotice={onNotice}
      />
      <Picker
        label="Open a folder"
        icon={<FolderInput size={14} aria-hidden="true" />}
        folder
        drafts={drafts}
        onNotice={onNotice}
      />
      <Tooltip text="New file">
        <Button
          look="bare"
          small
          iconOnly
          aria-label="New file"
          onClick={() => drafts.act({ kind: "add", name: "policy.yaml", text: "" })}
        >
          <Plus size={14} aria-hidden="true" />
        </Button>
      </Tooltip>
    </>
  );
}

function Picker({
  label,
  icon,
  folder = false,
  drafts,
  onNotice,
}: {
  readonly label: string;
  readonly icon: ReactNode;
  readonly folder?: boolean;
  readonly drafts: DraftsState;
  onNotice(text: string): void;
}) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Tooltip text={label}>
        <Button look="bare" small iconOnly aria-label={label} onClick={() => input.current?.click()}>
          {icon}
        </Button>
      </Tooltip>
      <input
        ref={input}
        type="file"
        multiple
        {...(folder ? { webkitdirectory: "" } : { accept: ".yaml,.yml,.json" })}
        className="visually-hidden"
        tabIndex={-1}
        aria-label={`${label}: policies of this machine`}
        onChange={(event) => {
          const chosen = event.target.files;
          if (chosen === null) return;
          void chosenFiles(chosen).then(
            ({ files, notice }) => {
              if (input.current !== null) input.current.value = "";
              drafts.act({ kind: "add all", files });
              onNotice(notice);
            },
            () => onNotice("The files could not be read."),
          );
        }}
      />
    </>
  );
}
