import type { Topic } from "./topic.ts";

/** In the order of the page that lists them. Each is loaded when it is asked for. */
export const TOPICS: ReadonlyMap<string, () => Promise<Topic>> = new Map([
  ["jobs", async () => (await import("./jobs.ts")).jobs],
  ["time", async () => (await import("./time.ts")).time],
  ["config", async () => (await import("./config.ts")).config],
  ["environment", async () => (await import("./environment.ts")).environment],
  ["files", async () => (await import("./files.ts")).files],
  ["exit-codes", async () => (await import("./exit-codes.ts")).exitCodes],
]);
