/**
 * Becomes one of the parts of `weir start`: gives up root, then turns into the command by exec, which leaves one thread, so that what
 * was given up is given up in all. `node cli/rights/launch.ts UID GID READ MAIN ARGUMENT…`; READ=1 keeps the right to read every file.
 */
import { bitsOf, rightsCalls } from "../../collector/kernel/capabilities.ts";

const [uid, gid, readsAll, ...command] = process.argv.slice(2);
const calls = rightsCalls();
const kept = readsAll === "1" ? bitsOf(["DAC_READ_SEARCH"]) : 0n;
const CHANNEL = 3; // where cli/supervise.ts puts it
const hasChannel = process.channel !== undefined;
calls.bound(kept);
calls.keepOverSetuid();
process.setgroups!([Number(gid)]);
process.setgid!(Number(gid));
process.setuid!(Number(uid));
calls.set(kept, kept);
calls.ambient(kept);
calls.noNewRights();
if (hasChannel) calls.keepOpen(CHANNEL);
const env = { ...process.env };
// Node takes these out of the environment when it opens the channel.
if (hasChannel) Object.assign(env, { NODE_CHANNEL_FD: String(CHANNEL), NODE_CHANNEL_SERIALIZATION_MODE: "json" });
process.execve!(process.execPath, [process.execPath, ...command], env);
