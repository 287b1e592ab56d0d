/** Reading from an open file without moving in it. What the system refuses is thrown as it is: callers word it. */
import { readSync } from "node:fs";

/** The bytes from a place on: as many as were asked for, or up to the end of the file. */
export function readAt(fd: number, from: number, bytes: number): Buffer {
  const buffer = Buffer.allocUnsafe(bytes);
  let done = 0;
  while (done < bytes) {
    const count = readSync(fd, buffer, done, bytes - done, from + done);
    if (count === 0) break;
    done += count;
  }
  return buffer.subarray(0, done);
}
