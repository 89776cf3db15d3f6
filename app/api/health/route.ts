import { z } from "zod";
import type { HealthAnswer } from "../../../model/wire/answers/status.ts";
import { collectorState } from "../../collector.ts";
import { appConfig } from "../../config.ts";
import { route } from "../answering.ts";

/** The collector of the app's machine, as it sees itself. */
export const GET = route(z.object({}), async (_question, { signal }): Promise<HealthAnswer> => {
  return { collector: await collectorState(appConfig().collectorSocket, signal), checkedMs: Date.now() };
});
