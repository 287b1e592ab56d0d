/**
 * How this program starts itself again, as a worker or in the background. The two forms differ: a compiled executable is
 * its own program, in development the runtime is given the script. Nobody else may know.
 */
export const self: readonly string[] = Bun.isStandaloneExecutable ? [process.execPath] : [process.execPath, Bun.main];
