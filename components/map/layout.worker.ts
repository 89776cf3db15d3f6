import { layout, type LayoutRequest, type Places } from "./layout.ts";

/** A request with a number, so that an answer to an older question is told apart. */
export interface LayoutJob {
  readonly id: number;
  readonly request: LayoutRequest;
}

export interface LayoutDone {
  readonly id: number;
  readonly places: Places;
}

self.onmessage = (event: MessageEvent<LayoutJob>) => {
  const done: LayoutDone = { id: event.data.id, places: layout(event.data.request) };
  self.postMessage(done);
};
