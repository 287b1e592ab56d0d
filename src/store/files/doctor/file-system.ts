/** What kind of file system a directory is on, as far as it matters: whether other machines may share it. */
import { statfsSync } from "node:fs";

/** Linux, `statfs(2)`: the magic numbers of what is, or may be, a network. */
const NETWORKS: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB"],
  [0x01021997, "9P"],
  [0x65735546, "FUSE"],
  [0x00c36400, "Ceph"],
  [0x5346414f, "AFS"],
  [0x0bd00bd0, "Lustre"],
  [0x47504653, "GPFS"],
  [0x786f4256, "a VirtualBox shared folder"],
]);

/** Its name where it is one, or may be one, on which appends of two machines can mix; undefined for a local one. */
export function networkFileSystem(path: string): string | undefined {
  if (process.platform !== "linux") return undefined;
  return NETWORKS.get(statfsSync(path).type >>> 0);
}
