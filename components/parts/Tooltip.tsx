"use client";

import { Tooltip as Radix } from "radix-ui";
import type { ReactElement, ReactNode } from "react";
import { KeyCap } from "./KeyCap.tsx";
import styles from "./controls.module.css";

interface TooltipProps {
  readonly text: ReactNode;
  /** The key that does the same. */
  readonly keyCap?: string;
  readonly side?: "top" | "right" | "bottom" | "left";
  /** One element that takes a ref: a button or link. */
  readonly children: ReactElement;
}

/** Words for a control on hover and focus. What is said here must not be needed to use the page. */
export function Tooltip({ text, keyCap, side = "bottom", children }: TooltipProps) {
  return (
    <Radix.Root delayDuration={400} disableHoverableContent={false}>
      <Radix.Trigger asChild>{children}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content className={styles.tooltip} side={side} sideOffset={6} collisionPadding={8}>
          {text}
          {keyCap === undefined ? null : <KeyCap>{keyCap}</KeyCap>}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
