"use client";

import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { Button } from "./Button.tsx";
import styles from "./controls.module.css";
import { useToast } from "./Toast.tsx";

/** Puts `text` on the clipboard, with the icon alone when `label` is empty; says so where the browser refuses (no secure context). */
export function CopyButton({ text, label = "Copy" }: { readonly text: string; readonly label?: string }) {
  const [copied, setCopied] = useState(false);
  const say = useToast();
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
    } catch {
      say("The browser does not let this page copy; select the text and press Ctrl+C");
    }
  };
  return (
    <Button look="bare" small onClick={() => void copy()} {...(label === "" ? { "aria-label": "Copy" } : {})}>
      {copied ? <Check size={14} aria-hidden="true" /> : <Copy size={14} aria-hidden="true" />}
      <span aria-live="polite">{copied ? "Copied" : label}</span>
    </Button>
  );
}

/** A command to run, with its copy button. */
export function CommandLine({ command }: { readonly command: string }) {
  return (
    <div className={styles.command}>
      <span aria-hidden="true">$</span>
      <code tabIndex={0}>{command}</code>
      <CopyButton text={command} />
    </div>
  );
}
