/** What a run was measured on. */
import { statfsSync } from "node:fs";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import type { Place } from "../stage/place.ts";

/** Named as in the results. */
export interface Machine {
  readonly processors: number;
  readonly model: string;
  readonly memory_gib: number;
  readonly kernel: string;
  /** Of the directory that queues were made in. */
  readonly file_system: string;
  readonly bun: string;
  readonly queuectl: string;
}

/** Linux, `statfs(2)`: those that a temporary directory is likely to be on. */
const FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0xef53, "ext4"],
  [0x58465342, "XFS"],
  [0x9123683e, "Btrfs"],
  [0x2fc12fc1, "ZFS"],
  [0x794c7630, "overlay"],
  [0x01021994, "tmpfs"],
]);

export function machineOf(place: Place): Machine {
  const processors = cpus();
  const { stdout } = Bun.spawnSync([place.queuectl, "--version"], { stdin: "ignore", stderr: "inherit" });
  const magic = statfsSync(place.directory).type >>> 0;
  return {
    processors: processors.length,
    model: processors[0]?.model.trim() ?? "unknown",
    memory_gib: Math.round(totalmem() / 1024 ** 3),
    kernel: `${type()} ${release()}`,
    file_system: FILE_SYSTEMS.get(magic) ?? `0x${magic.toString(16)}`,
    bun: Bun.version,
    queuectl: stdout.toString().trim(),
  };
}

export function inWords({ processors, model, memory_gib, kernel, file_system, queuectl }: Machine): string {
  return `${queuectl}, ${processors} × ${model}, ${memory_gib} GiB, ${kernel}, ${file_system}`;
}

/** The same for a caption, without what only matters to whoever compares runs. */
export function inShort({ processors, model, file_system, queuectl }: Machine): string {
  return `${queuectl.replace(/ \(.*/, "")}, ${processors} × ${model}, ${file_system}`;
}

/** How many processes wanted to run, on average over the last minute. */
export function load(): number {
  return loadavg()[0] ?? 0;
}
