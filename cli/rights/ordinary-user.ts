import { readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { WeirError } from "../../model/errors.ts";
import type { Environment } from "../../store/config.ts";

/** Whom store, app and, once it has loaded its programs, the collector run as. */
export interface OrdinaryUser {
  readonly uid: number;
  readonly gid: number;
}

const NOBODY: OrdinaryUser = { uid: 65534, gid: 65534 };

/**
 * The user of everything that needs no rights, when root starts Weir: WEIR_USER; who called sudo; who owns the data directory; a
 * user `weir`; nobody. Undefined: not root, or WEIR_USER=root, so nothing changes. Throws WeirError for a user that is not there.
 */
export function ordinaryUser(env: Environment, dataDir: string, ownUid = process.getuid?.()): OrdinaryUser | undefined {
  if (ownUid !== 0) return undefined;
  const wanted = env["WEIR_USER"] ?? "";
  if (wanted !== "") {
    const user = passwdUser(wanted);
    if (user === undefined)
      throw new WeirError({
        code: "bad-setting",
        where: "WEIR_USER",
        what: `there is no user "${wanted}"`,
        expected: "a name or a number of /etc/passwd",
      });
    return user.uid === 0 ? undefined : user;
  }
  const sudo = positive(env["SUDO_UID"]);
  if (sudo !== undefined) return { uid: sudo, gid: positive(env["SUDO_GID"]) ?? passwdUser(String(sudo))?.gid ?? sudo };
  return ownerOf(dataDir) ?? passwdUser("weir") ?? passwdUser("nobody") ?? NOBODY;
}

/** True when `user` can look into every one of `paths`. Modes alone are read, no access lists. */
export function canReach(user: OrdinaryUser, paths: readonly string[]): boolean {
  return paths.every((path) => {
    for (let at = path, first = true; ; at = dirname(at), first = false) {
      if (!may(user, at, first ? 0o5 : 0o1)) return false;
      if (at === dirname(at)) return true;
    }
  });
}

function may(user: OrdinaryUser, path: string, bits: number): boolean {
  try {
    const { mode, uid, gid } = statSync(path);
    const own = uid === user.uid ? mode >> 6 : gid === user.gid ? mode >> 3 : mode;
    return (own & bits) === bits;
  } catch {
    return true; // not there yet: who makes it gives it to the user
  }
}

function ownerOf(dataDir: string): OrdinaryUser | undefined {
  try {
    const { uid, gid } = statSync(dataDir);
    return uid === 0 ? undefined : { uid, gid };
  } catch {
    return undefined; // a new installation
  }
}

/** A line of /etc/passwd by name or number; undefined in a system without one. */
function passwdUser(wanted: string): OrdinaryUser | undefined {
  let text: string;
  try {
    text = readFileSync("/etc/passwd", "utf8");
  } catch {
    text = ""; // a bare image
  }
  for (const line of text.split("\n")) {
    const [name, , uid, gid] = line.split(":");
    if ((name === wanted || uid === wanted) && uid !== undefined && gid !== undefined)
      return { uid: Number(uid), gid: Number(gid) };
  }
  return /^\d{1,9}$/.test(wanted) ? { uid: Number(wanted), gid: Number(wanted) } : undefined;
}

function positive(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
}
