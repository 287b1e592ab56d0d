/** Tests of the program that hold wherever the queue is: each runs once on each store, with the same words. */
import { test as testOnce } from "bun:test";
import { Home, STORES } from "./home.ts";

/** A test that runs on every store, each time in a new home, and beside the others of its file. */
export function test(sentence: string, body: (home: Home) => Promise<void>, timeoutMs?: number): void {
  for (const store of STORES) {
    const run = async (): Promise<void> => {
      await using home = await Home.on(store);
      await body(home);
    };
    testOnce.concurrent(`${sentence} [${store}]`, run, timeoutMs);
  }
}

/** As `test`, once for each row; the sentence takes its values as that of `test.each` of bun:test does. */
test.each = <Row extends readonly unknown[]>(rows: readonly Row[]) => {
  return (sentence: string, body: (home: Home, ...row: Row) => Promise<void>): void => {
    for (const store of STORES) {
      const run = async (...row: unknown[]): Promise<void> => {
        await using home = await Home.on(store);
        await body(home, ...(row as unknown as Row));
      };
      testOnce.concurrent.each(rows as unknown as unknown[][])(`${sentence} [${store}]`, run);
    }
  };
};
