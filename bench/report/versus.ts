/** Findings in which queuectl is held against its peers, one a peer. */
import type { Beside, Finding, Measured } from "../benchmark.ts";

/** Faster than that one, or at least level with it. */
const WELL = { most: { atMost: 1 }, least: { atLeast: 1 } } as const;

/**
 * One finding a peer that has samples, or the bare figure where none has. `better` says whether more or less is better;
 * the ratio must not be worse than 1.
 */
export function versus(
  own: Omit<Measured, "beside" | "budget">,
  { peers, better }: { peers: readonly Beside[]; better: "more" | "less" },
): Finding[] {
  const measured = peers.filter(({ samples }) => samples.length > 0);
  if (measured.length === 0) return [own];
  const budget = better === "more" ? WELL.least : WELL.most;
  return measured.map((beside) => ({ ...own, beside, budget }));
}
