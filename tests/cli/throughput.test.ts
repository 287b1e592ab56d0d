import { expect, test } from "bun:test";
import { Throughput } from "../../src/cli/top/throughput.ts";

const NOTHING = { completed: 0, failed: 0, dead: 0 };
const T0 = 1_700_000_000_000;

test("what ended is counted in its second, however often one looks, and only seconds that are over are told", () => {
  const throughput = new Throughput();
  throughput.look({ ...NOTHING, completed: 100 }, T0);
  expect(throughput.perSecond()).toEqual([]);
  throughput.look({ completed: 102, failed: 1, dead: 0 }, T0 + 400);
  throughput.look({ completed: 103, failed: 1, dead: 2 }, T0 + 1000);
  throughput.look({ completed: 109, failed: 1, dead: 2 }, T0 + 1500);
  expect(throughput.perSecond()).toEqual([6]);
});

test("what ended since a look some seconds ago is spread over them", () => {
  const throughput = new Throughput();
  throughput.look(NOTHING, T0);
  throughput.look({ ...NOTHING, completed: 30 }, T0 + 3000);
  expect(throughput.perSecond()).toEqual([10, 10, 10]);
});

test("a requeue takes nothing back, and no end is lost where no time seems to have passed", () => {
  const throughput = new Throughput();
  throughput.look({ ...NOTHING, dead: 3 }, T0 + 10);
  throughput.look({ ...NOTHING, dead: 4 }, T0 + 10);
  throughput.look({ ...NOTHING, dead: 1, completed: 1 }, T0 + 5);
  throughput.look({ ...NOTHING, dead: 1, completed: 1 }, T0 + 1000);
  expect(throughput.perSecond()).toEqual([2]);
});

test("a minute is told and no more", () => {
  const throughput = new Throughput();
  for (let second = 0; second <= 100; second++) throughput.look({ ...NOTHING, completed: second }, T0 + second * 1000);
  expect(throughput.perSecond()).toEqual(Array<number>(60).fill(1));
});
