import { expect, test } from "bun:test";
import { judge } from "../../bench/report/judge.ts";
import { versus } from "../../bench/report/versus.ts";

const OWN = { what: "a thing", unit: "/s", samples: [10] } as const;

test("is told once for each peer that was measured", () => {
  const peers = [
    { name: "slower", samples: [8] },
    { name: "absent", samples: [] },
    { name: "faster", samples: [20] },
  ];
  const verdicts = (better: "more" | "less") =>
    versus(OWN, { peers, better }).map((one) => "samples" in one && [one.beside?.name, judge(one).verdict]);
  expect(verdicts("more")).toEqual([
    ["slower", "ok"],
    ["faster", "short"],
  ]);
  expect(verdicts("less")).toEqual([
    ["slower", "short"],
    ["faster", "ok"],
  ]);
});

test("is told by itself where no peer was measured", () => {
  expect(versus(OWN, { peers: [], better: "more" })).toEqual([OWN]);
});
