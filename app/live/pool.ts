import { MAX_SUBSCRIPTIONS, type LiveRequest } from "../../model/wire/live.ts";
import { Upstream, type UpstreamEvents } from "./upstream.ts";

type Subscribe = Extract<LiveRequest, { type: "subscribe" }>;

/**
 * The connections to the collector that all browsers share: one, and another for each further 16 subscriptions, which is
 * what the collector gives a connection. Pulses and "not there" come from the first alone.
 */
export class UpstreamPool {
  readonly #socketPath: string;
  readonly #events: UpstreamEvents;
  readonly #upstreams: Upstream[];
  #wanted = false;

  constructor(socketPath: string, events: UpstreamEvents) {
    this.#socketPath = socketPath;
    this.#events = events;
    this.#upstreams = [new Upstream(socketPath, events)];
  }

  /** Why there is no stream; undefined while there is one, or the first attempt is under way. */
  get missing(): string | undefined {
    return this.#upstreams[0]!.missing;
  }

  /** Open while any browser is there. */
  wanted(wanted: boolean): void {
    this.#wanted = wanted;
    for (const upstream of this.#upstreams)
      upstream.wanted(wanted && (upstream === this.#upstreams[0] || upstream.size > 0));
  }

  subscribe(request: Subscribe): void {
    (this.#holder(request.id) ?? this.#roomy()).subscribe(request);
  }

  setPaused(id: string, paused: boolean): void {
    this.#holder(id)?.setPaused(id, paused);
  }

  forget(id: string): void {
    const holder = this.#holder(id);
    holder?.forget(id);
    if (holder !== undefined && holder !== this.#upstreams[0] && holder.size === 0) {
      holder.close();
      this.#upstreams.splice(this.#upstreams.indexOf(holder), 1);
    }
  }

  close(): void {
    for (const upstream of this.#upstreams) upstream.close();
  }

  #holder(id: string): Upstream | undefined {
    return this.#upstreams.find((upstream) => upstream.has(id));
  }

  #roomy(): Upstream {
    const free = this.#upstreams.find((upstream) => upstream.size < MAX_SUBSCRIPTIONS);
    if (free !== undefined) return free;
    const { flows, problem } = this.#events;
    const further = new Upstream(this.#socketPath, {
      flows,
      pulse: () => undefined,
      problem: (id, message) => (id === undefined ? undefined : problem(id, message)),
    });
    this.#upstreams.push(further);
    further.wanted(this.#wanted);
    return further;
  }
}
