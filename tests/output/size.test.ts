import { expect, test } from "bun:test";
import { size } from "../../src/output/size.ts";

test.each([
  [0, "0 bytes"],
  [1, "1 byte"],
  [1023, "1023 bytes"],
  [1024, "1.0 KiB"],
  [65_536, "64 KiB"],
  [3_145_732, "3.0 MiB"],
  [5 * 1024 ** 4, "5.0 TiB"],
  [5000 * 1024 ** 4, "5000 TiB"],
])("%i bytes are told as %s", (bytes, text) => {
  expect(size(bytes)).toBe(text);
});
