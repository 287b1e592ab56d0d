/** The other end of a `Servant`. It also runs under Node, as it is. */
import type { Answer, DutiesOf, Request } from "../stage/servant.ts";

/** Does what is asked until it is told to leave, or its parent is gone. */
export function serve<Duties extends DutiesOf<Duties>>(
  duties: Duties,
  { stop = () => {}, close }: { stop?: () => void; close: () => Promise<void> },
): void {
  process.on("disconnect", () => process.exit(1));
  process.on("message", (request: Request) => {
    if (request === "stop") stop();
    else if (request === "close") void leave(close);
    else void carryOut(() => duties[request.name as keyof Duties](...(request.args as never[]))).then(answer);
  });
}

async function leave(close: () => Promise<void>): Promise<void> {
  await close();
  process.exit(0);
}

async function carryOut(duty: () => Promise<unknown>): Promise<Answer> {
  try {
    return { result: await duty() };
  } catch (error) {
    return { failed: error instanceof Error ? error.message : String(error) };
  }
}

function answer(message: Answer): void {
  process.send?.(message);
}
