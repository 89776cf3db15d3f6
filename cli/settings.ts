import { z } from "zod";
import { WeirError } from "../model/errors.ts";

const PORT = "a port number, 0–65535";

const Settings = z.object({
  WEIR_PORT: z.coerce.number(PORT).int(PORT).min(0, PORT).max(65535, PORT).default(7070),
  WEIR_HOST: z.string().min(1).default("127.0.0.1"),
});

/** Where the app listens. */
export interface AppAddress {
  readonly port: number;
  readonly host: string;
}

/** The app's address from `env`. Throws WeirError naming the variable, what it held and what was expected. */
export function appAddress(env: NodeJS.ProcessEnv): AppAddress {
  const parsed = Settings.safeParse(env);
  if (parsed.success) return { port: parsed.data.WEIR_PORT, host: parsed.data.WEIR_HOST };
  const issue = parsed.error.issues[0]!;
  const name = String(issue.path[0]);
  throw new WeirError({
    code: "setting-wrong",
    where: name,
    what: `"${env[name]}" cannot be used`,
    expected: issue.message,
  });
}
