import type { JobState } from "../job/job.ts";

type Paint = (text: string) => string;

export interface Colours {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly yellow: Paint;
  readonly green: Paint;
  readonly cyan: Paint;
}

const unpainted: Paint = (text) => text;

export const NO_COLOURS: Colours = {
  bold: unpainted,
  dim: unpainted,
  red: unpainted,
  yellow: unpainted,
  green: unpainted,
  cyan: unpainted,
};

export function paintState(state: JobState, text: string, colours: Colours): string {
  return { pending: colours.yellow, processing: colours.cyan, completed: colours.green, failed: colours.red }[state](
    text,
  );
}
