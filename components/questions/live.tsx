"use client";

import {
  createContext,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
  type ReactNode,
} from "react";
import type { Flow, FlowKind } from "../../model/flow.ts";
import { LiveConnection, type LiveState, type Pulse } from "./live-connection.ts";

const LiveContext = createContext<LiveConnection | undefined>(undefined);

/** One ws for the whole page; opened with the first subscriber, closed with the last. */
export function LiveProvider({ children }: { readonly children: ReactNode }) {
  const connection = useMemo(() => new LiveConnection(), []);
  useEffect(() => () => connection.close(), [connection]);
  return <LiveContext value={connection}>{children}</LiveContext>;
}

function useConnection(): LiveConnection {
  const connection = useContext(LiveContext);
  if (connection === undefined) throw new Error("live hooks outside of the frame");
  return connection;
}

export interface LiveQuestion {
  /** Text of the filter language; "" = everything. */
  readonly filter: string;
  readonly kinds?: readonly FlowKind[];
  /** False: no subscription at all. */
  readonly enabled?: boolean;
  /** True: the server holds back and counts; `missed` grows. */
  readonly paused?: boolean;
}

export interface LiveAnswer {
  readonly state: LiveState;
  /** Matching flows that were not sent, since the subscription began: too fast for this page, or paused. */
  readonly missed: number;
  /** What the collector said about the subscription; undefined when all is well. */
  readonly problem: string | undefined;
}

/** Subscribes to flows as they happen, at most ten batches a second. `onFlows` gets each batch; it need not be stable. */
export function useLive(question: LiveQuestion, onFlows: (flows: readonly Flow[]) => void): LiveAnswer {
  const connection = useConnection();
  const { filter, kinds, enabled = true, paused = false } = question;
  const kindsKey = kinds?.join(",") ?? "";
  const [missed, setMissed] = useState(0);
  const [problem, setProblem] = useState<string | undefined>();
  const handler = useRef(onFlows);
  useEffect(() => {
    handler.current = onFlows;
  }, [onFlows]);
  const subscription = useRef<ReturnType<LiveConnection["subscribe"]>>(undefined);
  useEffect(() => {
    if (!enabled) return;
    setMissed(0);
    setProblem(undefined);
    const asked = kindsKey === "" ? undefined : (kindsKey.split(",") as FlowKind[]);
    subscription.current = connection.subscribe(filter, asked, {
      flows: (flows, more) => {
        setProblem(undefined); // what was missing is there again
        if (more > 0) setMissed((sum) => sum + more);
        if (flows.length > 0) handler.current(flows);
      },
      problem: setProblem,
    });
    return () => subscription.current?.end();
  }, [connection, filter, kindsKey, enabled]);
  useEffect(() => subscription.current?.setPaused(paused), [paused, filter, kindsKey, enabled]);
  return { state: useLiveState(), missed, problem };
}

/** Whether the live stream is there: `open`, `connecting`, `closed` (nobody asks), `refused` with the reason in words. */
export function useLiveState(): LiveState {
  const connection = useConnection();
  return useSyncExternalStore(connection.onState, connection.getState, connection.getState);
}

/** The newest once-a-second pulse of the collector: rates and busiest edges. Undefined until there is one. Keeps the ws open. */
export function usePulse(enabled = true): Pulse | undefined {
  const connection = useConnection();
  const [pulse, setPulse] = useState<Pulse | undefined>();
  useEffect(() => (enabled ? connection.onPulse(setPulse) : undefined), [connection, enabled]);
  return pulse;
}
