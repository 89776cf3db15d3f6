"use client";

import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { NuqsAdapter } from "nuqs/adapters/next/app";
import { Tooltip } from "radix-ui";
import { useState, type ReactNode } from "react";
import { ToastProvider } from "../parts/Toast.tsx";
import { isRetryable } from "../questions/ask.ts";

/** URL state, answers and messages for everything below. */
export function Providers({ children }: { children: ReactNode }) {
  const [client] = useState(
    () =>
      new QueryClient({
        defaultOptions: {
          queries: {
            staleTime: 1_000,
            gcTime: 60_000, // a live window makes a new key every few seconds
            retry: (failures, error) => failures < 2 && isRetryable(error),
            refetchOnWindowFocus: false,
          },
        },
      }),
  );
  return (
    <NuqsAdapter>
      <QueryClientProvider client={client}>
        <Tooltip.Provider delayDuration={400}>
          <ToastProvider>{children}</ToastProvider>
        </Tooltip.Provider>
      </QueryClientProvider>
    </NuqsAdapter>
  );
}
