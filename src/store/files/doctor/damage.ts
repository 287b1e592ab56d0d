/** What of a file could not be taken as it stands, and which jobs that touches. */
import type { Finding } from "../../doctor.ts";

interface Damage {
  readonly path: string;
  readonly line?: number | undefined;
  readonly problem: string;
  /** The ids of those that it touches. */
  readonly jobs?: readonly string[];
}

/** Collects the damage of one file. */
export class DamageList {
  readonly found: Finding[] = [];
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  add(problem: string, where: { line?: number; jobs?: readonly string[] } = {}): void {
    this.found.push(damageOf({ path: this.#path, problem, ...where }));
  }
}

/** The finding of one piece of damage. */
export function damageOf({ path, line, problem, jobs = [] }: Damage): Finding {
  return { severity: "damage", path, ...(line === undefined ? {} : { line }), problem, jobs };
}

/** The ids that a damaged text names. One that was hit itself is not among them, or stands there changed. */
export function idsIn(text: string): string[] {
  const found = Array.from(text.matchAll(/"id":\s*("(?:[^"\\]|\\.)*")/g), ([, quoted = '""']) => unquoted(quoted));
  return [...new Set(found.filter((id) => id !== ""))];
}

function unquoted(quoted: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return "";
  }
}
