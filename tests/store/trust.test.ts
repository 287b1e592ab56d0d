import { expect, test } from "bun:test";
import { shellWord } from "../../src/job/shell-word.ts";
import { checkOrigin } from "../../src/store/local/trust.ts";

const ME = 1000;
const BELONGS = "/d/queue.json belongs to another user (uid 1001).";
const OPEN = "/d/queue.json may be written by other users.";

test.each([
  ["mine", ME, 0o100600, undefined],
  ["mine, and others may read it", ME, 0o100644, undefined],
  ["root's", 0, 0o100644, undefined],
  ["mine, but my group may write it", ME, 0o100660, OPEN],
  ["mine, but others may write it", ME, 0o100602, OPEN],
  ["root's, but others may write it", 0, 0o100666, OPEN],
  ["a directory in which others may make files, sticky or not", ME, 0o041777, OPEN],
  ["another user's, however closed", 1001, 0o100400, BELONGS],
])("a file that is %s", (_, uid, mode, refusal) => {
  const check = () => checkOrigin({ uid, mode }, "/d/queue.json", "/d/queue.json", ME);
  if (refusal === undefined) check();
  else expect(check).toThrow(refusal);
});

test("root does not trust another user's file either", () => {
  expect(() => checkOrigin({ uid: 1001, mode: 0o100600 }, "/d/queue.json", "/d/queue.json", 0)).toThrow(BELONGS);
});

test.each([
  ["p1", "p1"],
  ["/srv/queue_1/db/data", "/srv/queue_1/db/data"],
  ["", "''"],
  ["a b", "'a b'"],
  ["$(rm x)", "'$(rm x)'"],
  ["it's", "'it'\\''s'"],
  ["~", "'~'"],
  ["-id", "-id"],
])("%j is typed as %s", (text, word) => {
  expect(shellWord(text)).toBe(word);
  expect(Bun.spawnSync(["/bin/sh", "-c", `printf %s ${word}`]).stdout.toString()).toBe(text);
});
