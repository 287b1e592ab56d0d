/** `top` on a database that cannot be reached for a while. */
import { expect, test } from "bun:test";
import { Home } from "../support/home.ts";
import { freshSchema } from "../support/postgres.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";

test("a database that does not answer is told of in the last line, and keys are listened to all the while", async () => {
  const url = new URL(await freshSchema());
  await using proxy = await TcpProxy.start(Number(url.port), url.hostname);
  await using home = new Home(url.href);
  await home.enqueue({ id: "p1", command: "true" }, { id: "p2", command: "true" });
  url.port = String(proxy.port);
  const env = { QUEUECTL_STORE: url.href };
  await using top = home.startOnTerminal({ columns: 80, rows: 24, env }, "top");
  await top.shows("> p1");
  proxy.refuse();
  proxy.cut();
  await top.shows(/\nThe database does not answer; trying on for \d+ s\.$/);
  top.type("j");
  await top.shows("> p2");
  await proxy.accept();
  await home.enqueue({ id: "p3", command: "true" });
  expect(await top.shows("3 pending")).toEndWith("q quit");
  proxy.stall();
  top.type("p\u0003");
  await until(() => !top.screen.isAlternate, "the screen to be given back");
  proxy.cut();
  expect(await top.end()).toBe(130);
});
