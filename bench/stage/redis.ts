/** A Redis of its own on a free loopback port, which syncs every write before it answers. */
import { mkdirSync, rmSync } from "node:fs";
import type { Place } from "./place.ts";

const LOOK_EVERY_MS = 10;
const PATIENCE_MS = 10_000;

export async function startRedis(
  place: Place,
  directory: string,
): Promise<{ readonly port: number } & AsyncDisposable> {
  mkdirSync(directory);
  const port = freePort();
  const options = { "--bind": "127.0.0.1", "--dir": directory, "--appendonly": "yes", "--appendfsync": "always" };
  const words = Object.entries({ ...options, "--save": "", "--logfile": "redis.log" }).flat();
  const server = place.adopt(
    Bun.spawn(["redis-server", "--port", String(port), ...words], { stdin: "ignore", stdout: "ignore" }),
  );
  for (const deadline = performance.now() + PATIENCE_MS; !(await answers(port)); await Bun.sleep(LOOK_EVERY_MS)) {
    if (server.exitCode !== null || performance.now() > deadline) throw new Error("redis-server does not come up.");
  }
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.kill("SIGTERM");
      await server.exited;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}

async function answers(port: number): Promise<boolean> {
  try {
    const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data: () => {} } });
    socket.end();
    return true;
  } catch {
    return false;
  }
}
