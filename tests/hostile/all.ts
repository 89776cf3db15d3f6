import { httpInputs } from "./http.ts";
import type { Input, Size } from "./table.ts";
import { wsInputs } from "./ws.ts";

/** Every hostile input, in the order in which they are thrown. */
export function allInputs(size: Size): readonly Input[] {
  return [...httpInputs(size), ...wsInputs()];
}
