"use client";

import { X } from "lucide-react";
import { createContext, useCallback, useContext, useEffect, useState, type ReactNode } from "react";
import styles from "./Toast.module.css";

const SHOWN_MS = 6000;
const ToastContext = createContext<(message: string) => void>(() => undefined);

/** Says something short that needs no answer. Errors of a question belong in its place on the page, not here. */
export function useToast(): (message: string) => void {
  return useContext(ToastContext);
}

export function ToastProvider({ children }: { readonly children: ReactNode }) {
  const [toast, setToast] = useState<{ readonly message: string; readonly id: number } | undefined>();
  const say = useCallback((message: string) => setToast((last) => ({ message, id: (last?.id ?? 0) + 1 })), []);
  useEffect(() => {
    if (toast === undefined) return;
    const timer = setTimeout(() => setToast(undefined), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [toast]);
  return (
    <ToastContext value={say}>
      {children}
      <div role="status" aria-live="polite" className={styles.place}>
        {toast === undefined ? null : (
          <div className={styles.toast} key={toast.id}>
            {toast.message}
            <button type="button" aria-label="Close the message" onClick={() => setToast(undefined)}>
              <X size={14} aria-hidden="true" />
            </button>
          </div>
        )}
      </div>
    </ToastContext>
  );
}
