/** Names of containers by id, from the files of Docker and Podman. Others are known by the first 12 digits of their id. */
import { readFileSync } from "node:fs";
import { visibleText } from "./visible-text.ts";

const DOCKER = "/var/lib/docker/containers";
const PODMAN = "/var/lib/containers/storage/overlay-containers/containers.json";

/** `redis-1`, or `3f2a9c0d11ee` when no file says more. A look-up reads a file: keep the answer. */
export function containerName(id: string): string {
  const name = dockerName(id) ?? podmanName(id);
  return name === undefined ? id.slice(0, 12) : visibleText(name, 128);
}

function dockerName(id: string): string | undefined {
  const config = readJson(`${DOCKER}/${id}/config.v2.json`);
  const name = typeof config === "object" && config !== null && "Name" in config ? config.Name : undefined;
  return typeof name === "string" && name.length > 1 ? name.replace(/^\//, "") : undefined;
}

function podmanName(id: string): string | undefined {
  const list = readJson(PODMAN);
  if (!Array.isArray(list)) return undefined;
  for (const each of list as unknown[]) {
    if (typeof each !== "object" || each === null || !("id" in each) || each.id !== id) continue;
    if ("names" in each && Array.isArray(each.names) && typeof each.names[0] === "string") return each.names[0];
  }
  return undefined;
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined; // not there, or not readable: the id stands for it
  }
}
