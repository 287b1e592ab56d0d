const FIRST = 12_000;
const COUNT = 18_000;

/**
 * A port on loopback that nobody listens on. It is none of those that systems give to outgoing connections (from 32768 on,
 * at the earliest): while its server is away, no connection can take it, nor connect to itself.
 */
export function freePort(): number {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (isFree(port)) return port;
  }
}

function isFree(port: number): boolean {
  try {
    Bun.listen({ hostname: "127.0.0.1", port, socket: { data: () => {} } }).stop();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") return false;
    throw error;
  }
}
