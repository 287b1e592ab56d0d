/**
 * A job that connects back to the test and does as it is told (as in wireit), so that no test sleeps: it is running when
 * it has connected, and gone when the connection has closed. Run by `WorkerDirector.command`.
 */
import { readFileSync, writeSync } from "node:fs";

export type Order =
  | { readonly do: "print"; readonly text: string; readonly to?: "stdout" | "stderr" }
  | { readonly do: "ignore"; readonly signal: NodeJS.Signals }
  | { readonly do: "read-stdin" }
  /** Another obedient job as its child, in a session of its own with `setsid`, with `unset` variables missing. */
  | { readonly do: "fork"; readonly name: string; readonly setsid?: boolean; readonly unset?: readonly string[] }
  | { readonly do: "exit"; readonly code: number };

export interface Hello {
  readonly name: string;
  readonly pid: number;
  readonly variables: Readonly<Record<string, string>>;
}

const [socketPath = "", name = ""] = process.argv.slice(2);

async function obey(): Promise<void> {
  const socket = await Bun.connect({ unix: socketPath, socket: { data: (from, bytes) => receive(bytes, from) } });
  const variables = Object.fromEntries(Object.entries(process.env).filter(([key]) => key.startsWith("QUEUECTL_")));
  socket.write(`${JSON.stringify({ name, pid: process.pid, variables })}\n`);
}

/** An order is short and the test waits for the answer before the next, so one packet is one order. */
function receive(bytes: Buffer, from: { write(text: string): number }): void {
  from.write(`${JSON.stringify({ answer: carryOut(JSON.parse(bytes.toString()) as Order) })}\n`);
}

function carryOut(order: Order): string {
  switch (order.do) {
    case "print":
      writeSync(order.to === "stderr" ? 2 : 1, order.text);
      return "";
    case "ignore":
      process.on(order.signal, () => {});
      return "";
    case "read-stdin":
      return readFileSync(0, "utf8");
    case "fork": {
      const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !order.unset?.includes(key)));
      const command = [process.execPath, import.meta.path, socketPath, order.name];
      const setsid = order.setsid ?? false;
      Bun.spawn(command, { detached: setsid, stdin: "ignore", stdout: "inherit", stderr: "inherit", env }).unref();
      return "";
    }
    case "exit":
      process.exit(order.code);
  }
}

if (import.meta.main) await obey();
