/** A search through everything that can happen, shortest schedules first. */

/** A thing that can happen next, in words. */
export interface Move<S> {
  readonly says: string;
  readonly to: S;
}

export interface Model<S> {
  readonly start: S;
  readonly moves: (state: S) => readonly Move<S>[];
  /** What is wrong with a state, if anything is; `isLast` says that nothing can happen after it. */
  readonly wrong: (state: S, isLast: boolean) => string | undefined;
}

export interface Found {
  readonly states: number;
  /** The first state that is wrong, and one of the shortest ways to it, a step a line. */
  readonly failure?: { readonly wrong: string; readonly schedule: readonly string[] };
}

/**
 * Visits every state that can be reached, until one is wrong. States that look equal in JSON are one; they are told apart
 * by 64 bits of hash, so that a state costs a few bytes (two of ten million fall together with a chance of 1 in 300,000).
 */
export function explore<S>(model: Model<S>): Found {
  const seen = new Set([hashOf(model.start)]);
  // How each state was reached: from which one, and by which of its moves.
  const parents: number[] = [-1];
  const choices: number[] = [-1];
  let level: { state: S; number: number }[] = [{ state: model.start, number: 0 }];
  while (level.length > 0) {
    const following: { state: S; number: number }[] = [];
    for (const { state, number } of level) {
      const moves = model.moves(state);
      const wrong = model.wrong(state, moves.length === 0);
      if (wrong !== undefined) {
        return { states: parents.length, failure: { wrong, schedule: wayTo(number, { model, parents, choices }) } };
      }
      for (const [choice, { to }] of moves.entries()) {
        const hash = hashOf(to);
        if (seen.has(hash)) continue;
        seen.add(hash);
        following.push({ state: to, number: parents.length });
        parents.push(number);
        choices.push(choice);
      }
    }
    level = following;
  }
  return { states: parents.length };
}

/** The same for two values that look equal in JSON. */
export function hashOf(state: unknown): bigint {
  return Bun.hash.xxHash64(JSON.stringify(state));
}

/** Walks the way again, to have it in words. */
function wayTo<S>(
  number: number,
  { model, parents, choices }: { model: Model<S>; parents: readonly number[]; choices: readonly number[] },
): string[] {
  const way: number[] = [];
  for (let at = number; at > 0; at = parents[at] ?? 0) way.unshift(choices[at] ?? 0);
  let { start: state } = model;
  return way.map((choice, index) => {
    const move = model.moves(state)[choice];
    if (!move) throw new Error("the model does not do the same twice");
    state = move.to;
    return `${String(index + 1).padStart(3)}. ${move.says}`;
  });
}
