/** Builds `dist/queuectl`, one executable that needs nothing beside it. */
import type { BunPlugin } from "bun";
import { version } from "./package.json";

/**
 * What proper-lockfile brings along and this program does not use costs 10 ms at the start of every worker: graceful-fs,
 * which it falls back on (our call passes it an `fs`), and signal-exit, which releases locks at an exit (ours are released
 * by disposal, and a dead holder is known by its process).
 */
const leanLockfile: BunPlugin = {
  name: "lean-lockfile",
  setup(build) {
    build.onResolve({ filter: /^graceful-fs$/ }, () => ({ path: "node:fs", external: true }));
    build.onResolve({ filter: /^signal-exit$/ }, ({ path }) => ({ path, namespace: "nothing" }));
    build.onLoad({ filter: /.*/, namespace: "nothing" }, () => ({
      contents: "module.exports = () => {};",
      loader: "js",
    }));
  },
};

const commit = Bun.spawnSync(["git", "rev-parse", "--short=12", "HEAD"], { cwd: import.meta.dir, stderr: "ignore" });

await Bun.build({
  entrypoints: [`${import.meta.dir}/src/main.ts`],
  target: "bun",
  format: "esm",
  minify: true,
  bytecode: true,
  // Without it, what a lazily imported module needs (consola: node:tty) would be loaded at every start.
  splitting: true,
  plugins: [leanLockfile],
  define: {
    BUILD_VERSION: JSON.stringify(version),
    BUILD_COMMIT: JSON.stringify(commit.success ? commit.stdout.toString().trim() : "unknown"),
    BUILD_FAILPOINTS: "false",
  },
  compile: {
    outfile: `${import.meta.dir}/dist/queuectl`,
    // Most of this program's code runs a few times in a process: what the JIT spends on it at the usual thresholds never
    // comes back (3 ms of a cold enqueue).
    jitPolicy: 10,
    // It would otherwise load .env and run bunfig.toml's preload from whatever folder it is started in.
    autoloadDotenv: false,
    autoloadBunfig: false,
  },
});
console.log(`Built dist/queuectl ${version}.`);
