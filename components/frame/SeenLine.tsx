"use client";

import { TriangleAlert } from "lucide-react";
import Link from "next/link";
import { useWhatBecameOfEvents } from "../questions/use-what-became-of-events.ts";
import styles from "./SeenLine.module.css";
import { seenWords } from "./seen-words.ts";
import { usePageLink } from "./use-page-link.ts";

const MINUTE = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

/** How much of the range a chart shows was seen, and where most of the rest went. Stands on every chart; says nothing where nothing was booked. */
export function SeenLine({ padded = false }: { readonly padded?: boolean }) {
  const answer = useWhatBecameOfEvents();
  const link = usePageLink();
  const words = answer.data === undefined ? undefined : seenWords(answer.data, (ms) => MINUTE.format(ms));
  if (words === undefined) return null;
  const isQuiet = words.tone === "quiet";
  return (
    <Link
      className={`${styles.seen} ${padded ? styles.padded : ""} ${isQuiet ? "" : `tone-${words.tone}`}`}
      href={link("/health")}
      title={`${words.text}. The books of the range are on the Health page.`}
    >
      {isQuiet ? null : <TriangleAlert size={12} aria-hidden="true" />}
      <span>{words.text}</span>
    </Link>
  );
}
