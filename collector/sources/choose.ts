/** Which source: the kernel where it may be observed, else the recorded sample, saying why. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { WeirError } from "../../model/errors.ts";
import type { ChosenSource } from "../agent.ts";
import type { CollectorConfig } from "../config.ts";
import type { Batch } from "../decode/columns.ts";
import { requireRights } from "../kernel/rights.ts";
import { EbpfSource } from "./ebpf.ts";
import { kernelNames } from "./kernel-names.ts";
import { SampleRecorder } from "./record.ts";
import { openSample, ReplaySource } from "./replay.ts";

/** The sample that comes with the package. */
const SAMPLE = fileURLToPath(new URL("../../scripts/demo/sample.weir", import.meta.url));

/** Makes the source that `config` asks for; `auto` takes the kernel if it can be observed. Throws WeirError when neither is to be had. */
export async function chooseSource(
  config: CollectorConfig,
  sink: (batch: Batch) => void,
  say: (sentence: string) => void,
  recordTo?: string,
): Promise<ChosenSource> {
  if (config.source === "replay") return replay(config, sink, "WEIR_SOURCE or --replay asks for it.");
  try {
    requireRights();
  } catch (cause) {
    if (!(cause instanceof WeirError) || config.source === "ebpf") throw cause;
    if (config.replay === undefined && !existsSync(SAMPLE)) throw cause;
    say(`${cause.message}; the recorded sample plays instead`);
    return replay(config, sink, `${capital(cause.what)}.`);
  }
  const recorder = recordTo === undefined ? undefined : new SampleRecorder(recordTo, config, sink);
  const source = new EbpfSource({
    sink: recorder?.sink ?? sink,
    namespaces: observed(config),
    sweepMs: config.sweepMs,
    say,
  });
  recorder?.useStacks((id) => source.stackOf(id));
  return {
    source: recorder?.around(source) ?? source,
    kind: "ebpf",
    note: "",
    kernel: (who) => kernelNames(who, (id) => source.stackOf(id)),
  };
}

async function replay(config: CollectorConfig, sink: (batch: Batch) => void, note: string): Promise<ChosenSource> {
  const sample = await openSample(config.replay ?? SAMPLE);
  return {
    source: new ReplaySource(sample, sink),
    kind: "replay",
    note,
    kernel: (who) => sample.names(who),
    prepare: (who) => sample.prepare(who),
  };
}

/** A list of inode numbers is told to the kernel; names may appear later, so then the kernel sends everything and Who filters. */
function observed(config: CollectorConfig): "all" | readonly number[] {
  const parts = config.netns.split(",").map((part) => part.trim());
  return parts.every((part) => /^\d+$/.test(part)) ? parts.map(Number) : "all";
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
