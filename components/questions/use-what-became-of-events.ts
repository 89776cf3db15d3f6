"use client";

import { BooksAnswer } from "../../model/wire/answers/health.ts";
import { useQuestion, type Answer } from "./use-question.ts";

/** The books of the range over time and by node: produced, stored, lost, shed, quarantined, filtered. */
export function useWhatBecameOfEvents(): Answer<BooksAnswer> {
  return useQuestion("books", "/api/books", BooksAnswer, { params: { q: "", scope: "" } });
}
