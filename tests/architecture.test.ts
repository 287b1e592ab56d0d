/** The rules of how the source is laid out. Each is checked against `src/`, and against a file that breaks it. */
import { describe, expect, test } from "bun:test";
import { Glob } from "bun";
import { blocks, type Import, occurrences, type SourceFile, sourceFile } from "./support/source-file.ts";

interface Rule {
  /** What in this file breaks the rule. */
  readonly offenders: (file: SourceFile) => string[];
  /** Files that break it, by path. */
  readonly broken: Readonly<Record<string, string>>;
}

const SRC = new URL("../src/", import.meta.url).pathname;
const MAX_FILE_LINES = 250;
const MAX_FUNCTION_LINES = 70;
const CLOCK_AND_CHANCE =
  /\bDate\.now\b|\bperformance\.(?:now|timeOrigin)\b|\bnew Date\(\)|\bDate\(\)|\bMath\.random\b|\bprocess\.hrtime\b|\bBun\.nanoseconds\b/;
const EMPTY_NAME = /(?:^|[-/.])(?:utils?|helpers?|types?|constants?|managers?|services?)(?=[-/.])/;

const RULES: Readonly<Record<string, Rule>> = {
  "job/ imports nothing but job/": {
    offenders: imports({ of: /^job\//, allowed: ({ target }) => target.startsWith("job/") }),
    broken: {
      "job/a.ts": 'import { readFileSync } from "node:fs";',
      "job/b.ts": 'import type { Config } from "../config.ts";',
      "job/c.ts": 'export { x } from "cac";',
      "job/d.ts": 'const fs = await import("node:fs");',
    },
  },
  "config.ts and settings.ts import nothing but job/ and, the first, the second": {
    offenders: imports({
      of: /^(?:config|settings)\.ts$/,
      allowed: ({ target }) => target.startsWith("job/") || target === "settings.ts",
    }),
    broken: {
      "config.ts": 'import { x } from "./store/store.ts";',
      "settings.ts": 'import { parseConfigKey } from "./config.ts";',
    },
  },
  "store/ never imports output/, cli/ or worker/": {
    offenders: imports({ of: /^store\//, allowed: ({ target }) => !/^(?:output|cli|worker)\//.test(target) }),
    broken: {
      "store/open.ts": 'import type { Output } from "../output/output.ts";',
      "store/files/a.ts": 'import "../../worker/self.ts";',
      "store/files/b.ts": 'const { x } = await import("../../cli/cli.ts");',
    },
  },
  "worker/ knows the store by its interface only, and never imports cli/ or output/": {
    offenders: imports({
      of: /^worker\//,
      allowed: ({ target }) =>
        !/^(?:output|cli)\//.test(target) &&
        (!target.startsWith("store/") || /^store\/(?:store|present|attempt-log)\.ts$/.test(target)),
    }),
    broken: {
      "worker/a.ts": 'import type { FilesStore } from "../store/files/files-store.ts";',
      "worker/b.ts": 'import { openStore } from "../store/open.ts";',
      "worker/c.ts": 'import { human } from "../output/human.ts";',
      "worker/d.ts": 'import {\n  cli,\n  other,\n} from "../cli/cli.ts";',
    },
  },
  "selftest/ knows the store by its interfaces only, and never imports cli/ or output/": {
    offenders: imports({
      of: /^selftest\//,
      allowed: ({ target }) =>
        !/^(?:output|cli)\//.test(target) &&
        (!target.startsWith("store/") || /^store\/(?:store|present|attempt-log|doctor)\.ts$/.test(target)),
    }),
    broken: {
      "selftest/a.ts": 'import { openStore } from "../store/open.ts";',
      "selftest/b.ts": 'import type { Output } from "../output/output.ts";',
    },
  },
  "output/ imports only packages, job/, config.ts, settings.ts and itself, and of what it shows the types": {
    offenders: imports({
      of: /^output\//,
      allowed: ({ target, isPackage, typeOnly }) =>
        /^(?:(?:job|output)\/|(?:config|settings)\.ts$)/.test(target) ||
        (/^(?:store\/(?:store|present|attempt-log|doctor|migrator|item)|selftest\/torture)\.ts$/.test(target) &&
          typeOnly) ||
        isPackage,
    }),
    broken: {
      "output/a.ts": 'import { type Store } from "../store/store.ts";',
      "output/b.ts": 'import type { FilesStore } from "../store/files/files-store.ts";',
      "output/c.ts": 'import type { Worker } from "../worker/worker.ts";',
    },
  },
  "cac is used in cli/cli.ts only": onlyIn("cli/cli.ts", "cac"),
  "proper-lockfile is used in store/files/sign-of-life.ts only": onlyIn(
    "store/files/sign-of-life.ts",
    "proper-lockfile",
  ),
  "consola is used in output/human.ts only": onlyIn("output/human.ts", "consola"),
  "process.exit is called in main.ts only": {
    offenders: (file) =>
      file.path === "main.ts" ? [] : occurrences(file, /\bprocess\.(?:exit|reallyExit|abort)\b(?!Code)/),
    broken: { "store/a.ts": "process.exit(1);", "cli/a.ts": "const leave = process.exit;" },
  },
  "process.exitCode is set in main.ts only": {
    offenders: (file) => (file.path === "main.ts" ? [] : occurrences(file, /\bprocess\.exitCode\b/)),
    broken: { "cli/a.ts": "process.exitCode = 1;" },
  },
  "the clock and chance are read in main.ts and worker/worker.ts only": {
    offenders: (file) => (/^(?:main|worker\/worker)\.ts$/.test(file.path) ? [] : occurrences(file, CLOCK_AND_CHANCE)),
    broken: {
      "job/a.ts": "const at = Date.now();",
      "store/b.ts": "// why\nconst started = performance.now();",
      "store/c.ts": "// why\nconst at = new Date();",
      "worker/run-command.ts": "// why\nconst roll = Math.random();",
      "cli/e.ts": "open({ now: Date.now });",
    },
  },
  "no file is made and then closed to others: its mode is right from the first instant": {
    offenders: (file) => occurrences(file, /\b[fl]?chmod(?:Sync)?\b|\bumask\b/),
    broken: { "store/files/a.ts": "/** why */\nchmodSync(path, 0o600);", "main.ts": "process.umask(0o077);" },
  },
  "console is used in output/ only": {
    offenders: (file) => (file.path.startsWith("output/") ? [] : occurrences(file, /\bconsole\b(?!:)/)),
    broken: { "cli/a.ts": 'console.log("hi");', "main.ts": "const { error } = console;" },
  },
  [`no file is longer than ${MAX_FILE_LINES} lines`]: {
    offenders: ({ path, text }) => {
      const lines = text.trimEnd().split("\n").length;
      return lines > MAX_FILE_LINES ? [`${path}: ${lines} lines`] : [];
    },
    broken: { "cli/a.ts": `${"x();\n".repeat(MAX_FILE_LINES)}y();\n` },
  },
  [`no function is longer than ${MAX_FUNCTION_LINES} lines`]: {
    offenders: ({ path, code }) =>
      blocks(code)
        .filter(({ lines }) => lines > MAX_FUNCTION_LINES)
        .map(({ line, lines }) => `${path}:${line}: ${lines} lines`),
    broken: {
      "cli/a.ts": `export function a(): void {\n${"  x();\n".repeat(MAX_FUNCTION_LINES - 1)}}\n`,
      "cli/b.ts": `class B {\n  async b(): Promise<{ c: number }> {\n${"    x();\n".repeat(MAX_FUNCTION_LINES - 1)}  }\n}\n`,
      "cli/c.ts": `const c = {\n  run: async () => {\n${"    x();\n".repeat(MAX_FUNCTION_LINES - 1)}  },\n};\n`,
      "cli/d.ts": `function d(\n  e: string,\n  { f }: { f: number },\n): void {\n${"  x();\n".repeat(MAX_FUNCTION_LINES - 4)}}\n`,
    },
  },
  "no file or folder has a name that says nothing": {
    offenders: ({ path }) => (EMPTY_NAME.test(path) ? [path] : []),
    broken: {
      "cli/utils.ts": "",
      "job/date-helpers.ts": "",
      "store/types.ts": "// why",
      "constants.ts": "",
      "worker/job-manager.ts": "// why",
      "service/a.ts": "",
    },
  },
  "every file in store/ and worker/ opens with a comment": {
    offenders: ({ path, text }) => (/^(?:store|worker)\//.test(path) && !/^\/[/*]/.test(text) ? [path] : []),
    broken: { "store/files/a.ts": "\n/** Late. */", "worker/a.ts": 'import "../config.ts";\n// why' },
  },
};

const files = [...new Glob("**/*.ts").scanSync(SRC)].toSorted((a, b) => a.localeCompare(b));
const sources = await Promise.all(files.map(async (path) => sourceFile(path, await Bun.file(SRC + path).text())));

describe("the source", () => {
  test("is all read: every import of it that is not a package names one of its files", () => {
    const local = sources.flatMap(({ path, imports }) =>
      imports.filter((i) => !i.isPackage && !/\.(?:sql|bash|zsh|fish)$/.test(i.target)).map((i) => [path, i.target]),
    );
    expect(local.length).toBeGreaterThan(0);
    expect(local.filter(([, target]) => !files.includes(target ?? ""))).toEqual([]);
  });

  test.each(Object.entries(RULES))("%s", (_, { offenders }) => {
    expect(sources.flatMap((file) => offenders(file))).toEqual([]);
  });
});

describe("a file that breaks the rule is found", () => {
  test.each(Object.entries(RULES))("%s", (_, { offenders, broken }) => {
    for (const [path, text] of Object.entries(broken)) {
      expect([path, offenders(sourceFile(path, text)).length]).toEqual([path, 1]);
    }
  });

  const words = 'process.exit(1); console.log(Date.now(), new Date()); import x from "cac";';
  const body = `${"  x();\n".repeat(MAX_FUNCTION_LINES - 2)}`;
  const innocent = {
    "a comment": `/** ${words} */\n// ${words}\n`,
    "a string": `const a = '${words}';\nconst b = "\\"process.exit(1)";\n`,
    "a template, also beside a substitution": `const a = \`{ ${words} \${b.map((c) => \`{\${c}\`)} ${words} }}\`;\n`,
    "a regular expression": "const a = /[\"`'{/]process.exit(1)/.test(b) || new Date(0) > c;\n",
    "a function that is just short enough": `export function a(): void {\n${body}}\n`,
    "a long class of short methods": `class A {\n  b(): void {\n  ${body}  }\n\n  c(): void {\n  ${body}  }\n}\n`,
    "a long table": `const a: { b: number } = {\n${"  b: 1,\n".repeat(80)}};\n`,
    "a long type": `export interface A {\n${"  b: 1,\n".repeat(80)}}\n`,
  };
  test.each(Object.entries(innocent))("but none is found in %s", (_, text) => {
    const file = sourceFile("job/a.ts", text);
    expect(Object.values(RULES).flatMap(({ offenders }) => offenders(file))).toEqual([]);
  });

  test("also behind a template, a comment or a regular expression that could hide it", () => {
    for (const before of [
      `const a = \`\${\`}\`}\`;`,
      "// `",
      '/* " */',
      "const a = /[`'\"]/;",
      "const a = '\"`';",
      "const a = b / c / d;",
    ]) {
      const file = sourceFile("job/a.ts", `${before}\nprocess.exit(1);\nimport b from "cac";\n`);
      expect(occurrences(file, /process\.exit/)).toEqual(["job/a.ts:2"]);
      expect(file.imports).toEqual([{ target: "cac", isPackage: true, typeOnly: false }]);
    }
  });
});

function imports(rule: { of: RegExp; allowed: (found: Import) => boolean }): Rule["offenders"] {
  return ({ path, imports }) =>
    rule.of.test(path)
      ? imports.filter((found) => !rule.allowed(found)).map(({ target }) => `${path} imports ${target}`)
      : [];
}

function onlyIn(home: string, name: string): Rule {
  const uses = ({ target }: Import) => target === name || target.startsWith(`${name}/`);
  return {
    offenders: ({ path, imports }) => (path !== home && imports.some(uses) ? [`${path} imports ${name}`] : []),
    broken: {
      "main.ts": `import ${name.replace("-", "")} from "${name}";`,
      "cli/commands/list.ts": `const found = await import("${name}");`,
    },
  };
}
