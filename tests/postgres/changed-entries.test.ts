/** What a look at changes sees of transactions, whenever they end. */
import { expect, test } from "bun:test";
import { openPostgres } from "../../src/store/postgres/open.ts";
import { dropSchema, freshSchema, inSchema } from "../support/postgres.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

test("what is committed late is seen in the next look, however many that began after it were seen before", async () => {
  using root = temporaryDirectory();
  const url = await freshSchema();
  const clock = { now: Date.now, elapsed: () => performance.now() };
  const rest = { env: {}, found: "in the environment", overrides: {}, random: Math.random, warn: () => {} } as const;
  const store = await openPostgres({ url, dataDirectory: root.path, ...rest, ...clock });
  await store.enqueue([{ id: "late", command: "true" }]);
  using changed = await store.changed();
  const look = async () => (await changed.take()).entries.map(({ id }) => id);
  {
    await using sql = inSchema(url);
    await sql`BEGIN`;
    await sql`UPDATE jobs SET priority = 5 WHERE id = 'late'`;
    for (const id of ["a", "b", "c"]) {
      await store.enqueue([{ id, command: "true" }]);
      const seen = await look();
      expect(seen).toContain(id);
      expect(seen).not.toContain("late");
    }
    await sql`COMMIT`;
  }
  expect(await look()).toContain("late");
  await store.close();
  await dropSchema(url);
});
