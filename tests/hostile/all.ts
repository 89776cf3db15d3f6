import { fileInputs } from "./files.ts";
import { httpInputs } from "./http.ts";
import { outputInputs } from "./outputs.ts";
import { secretInputs } from "./secrets.ts";
import { storeAnswerInputs } from "./store-answers.ts";
import type { Input, Size } from "./table.ts";
import { wsInputs } from "./ws.ts";

/** Every hostile input, in the order in which they are thrown. */
export function allInputs(size: Size): readonly Input[] {
  return [
    ...httpInputs(size),
    ...wsInputs(),
    ...storeAnswerInputs(),
    ...outputInputs(),
    ...fileInputs(),
    ...secretInputs(),
  ];
}
