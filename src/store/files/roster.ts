/** Who is alive, as the presences of a directory say (presence.ts). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { namesInTrusted } from "../local/durable.ts";
import { isRunning, type ProcessIdentity } from "../local/identity.ts";
import type { Present } from "../present.ts";
import type { SignCheck } from "./sign-of-life.ts";

export interface PresenceFile extends ProcessIdentity {
  readonly id: string;
  readonly kind: Present["kind"];
  readonly supervisor?: string;
  readonly queues?: readonly string[];
  readonly started_at: number;
  readonly stopping?: true;
}

/** Everyone who announced itself and did not withdraw: who is alive, and the ids of those who died. */
export function roster(directory: string, isFresh: SignCheck): { alive: Present[]; dead: string[] } {
  const files = presencesIn(directory);
  const alive = files.filter((file) => isRunning(file) ?? isFresh(presencePath(directory, file.id)));
  return {
    alive: alive.map(toPresent),
    dead: files.filter((file) => !alive.includes(file)).map(({ id }) => id),
  };
}

export function presencesIn(directory: string): PresenceFile[] {
  return namesInTrusted(directory)
    .filter((name) => name.endsWith(".json"))
    .flatMap((name) => {
      try {
        const file = JSON.parse(readFileSync(join(directory, name), "utf8")) as PresenceFile;
        // Its id leads back to the file, to remove it: one that led elsewhere would remove what is there.
        return name === `${file.id}.json` ? [file] : [];
      } catch {
        // Withdrawn since, or not a presence at all: nobody who is alive.
        return [];
      }
    });
}

function toPresent(file: PresenceFile): Present {
  return {
    id: file.id,
    kind: file.kind,
    pid: file.pid,
    host: file.host,
    reachable: isRunning(file) !== undefined,
    ...(file.supervisor === undefined ? {} : { supervisor: file.supervisor }),
    ...(file.queues === undefined ? {} : { queues: file.queues }),
    startedAt: file.started_at,
    stopping: file.stopping === true,
  };
}

export function presencePath(directory: string, id: string): string {
  return join(directory, `${id}.json`);
}
