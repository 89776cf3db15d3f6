"use client";

import { Ban, Check, ChevronDown, ListFilter } from "lucide-react";
import Link from "next/link";
import { DropdownMenu } from "radix-ui";
import { usePageLink } from "../frame/use-page-link.ts";
import { Button } from "../parts/Button.tsx";
import type { EditRequest } from "./answers.ts";
import { edgeText } from "./edge-text.ts";
import styles from "./PolicyMenu.module.css";

const ACTIONS = [
  { action: "allow", title: "Allow this", says: "the smallest rule that lets it through", icon: Check },
  { action: "deny", title: "Deny this", says: "the smallest edit that stops it", icon: Ban },
  { action: "only", title: "Only this", says: "it, and nothing else, reaches the destination", icon: ListFilter },
] as const;

/** From an edge, a drop or a flow to the page Policies: each way shows the smallest edit as a difference before anything changes. */
export function PolicyMenu({
  edge,
  keepsFilter = false,
}: {
  readonly edge: Omit<EditRequest, "action">;
  /** False: the page's filter narrows to this flow, which would hide what else a policy does. */
  readonly keepsFilter?: boolean;
}) {
  const pageLink = usePageLink();
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger asChild>
        <Button>
          Try a policy
          <ChevronDown size={14} aria-hidden="true" />
        </Button>
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className={styles.menu} align="end" side="top" sideOffset={4} collisionPadding={8}>
          {ACTIONS.map(({ action, title, says, icon: Icon }) => (
            <DropdownMenu.Item key={action} className={styles.item} asChild>
              <Link
                href={pageLink("/policies", { ...(keepsFilter ? {} : { q: undefined }), [action]: edgeText(edge) })}
              >
                <Icon size={14} aria-hidden="true" />
                <b>{title}</b>
                <span>{says}</span>
              </Link>
            </DropdownMenu.Item>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
