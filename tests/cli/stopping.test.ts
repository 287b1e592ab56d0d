import { expect } from "bun:test";
import { test } from "../support/both-stores.ts";
import { type Home, printed } from "../support/home.ts";
import type { RunningProgram } from "../support/running-program.ts";
import { type Actor, isAlive, WorkerDirector } from "../support/worker-director.ts";

/** A worker that is busy with `job`, and with `next` to do. */
class Busy implements Disposable {
  readonly home: Home;
  readonly director = new WorkerDirector();
  readonly terminal: RunningProgram;

  constructor(home: Home) {
    this.home = home;
    this.terminal = home.start("worker-start");
  }

  async job(): Promise<Actor> {
    await this.home.enqueue({ id: "job", command: this.director.command("job") });
    const job = await this.director.meet("job");
    await this.home.enqueue({ id: "next", command: "touch next-ran" });
    return job;
  }

  [Symbol.dispose](): void {
    this.director[Symbol.dispose]();
  }
}

test("at ^C the running job is finished, the next is not begun, and the exit code is 130", async (home) => {
  using busy = new Busy(home);
  const { terminal } = busy;
  const job = await busy.job();
  terminal.interrupt();
  await terminal.says("Stopping (SIGINT): finishing 1 running job...\n");
  expect(isAlive(job.hello.pid)).toBe(true);
  await job.tell({ do: "exit", code: 0 });
  expect((await terminal.end()).exitCode).toBe(130);
  await home.deserted();
  expect((await home.jobs()).map(({ id, state }) => [id, state])).toEqual([
    ["job", "completed"],
    ["next", "pending"],
  ]);
  expect(home.read("next-ran")).toBe("");
});

test("at a second ^C the job is ended at once and goes back, its attempt not charged", async (home) => {
  using busy = new Busy(home);
  const { terminal } = busy;
  const job = await busy.job();
  terminal.interrupt();
  await terminal.says("Stopping (SIGINT): finishing 1 running job...\n");
  terminal.interrupt();
  const { stdout, exitCode } = await terminal.end();
  expect(exitCode).toBe(130);
  expect(stdout).toContain("Released job: job (unfinished; the attempt does not count)\n");
  expect(isAlive(job.hello.pid)).toBe(false);
  await home.deserted();
  const released = await home.entry("job");
  expect(released).toMatchObject({ state: "pending", attempts: 0 });
  expect(released).not.toHaveProperty("last_error");
});

test("worker-stop in another terminal waits until the running job is done", async (home) => {
  using busy = new Busy(home);
  const job = await busy.job();
  const stop = home.start("worker-stop");
  await stop.says("Waiting for ");
  expect(await home.obey("status")).toContain("processing: 1,");
  await job.tell({ do: "exit", code: 0 });
  expect(await stop.end()).toMatchObject({ stdout: "Stopped 1 worker.\n", exitCode: 0 });
  expect((await busy.terminal.end()).exitCode).toBe(0);
  expect(await home.entry("job")).toMatchObject({ state: "completed" });
  expect(await home.run("worker-stop")).toEqual(printed("No workers are running.\n"));
});

test("worker-stop --now ends the running job and hands it back", async (home) => {
  using busy = new Busy(home);
  const job = await busy.job();
  expect(await home.run("worker-stop", "--now")).toMatchObject({ stdout: "Stopped 1 worker.\n", exitCode: 0 });
  expect((await busy.terminal.end()).exitCode).toBe(0);
  expect(isAlive(job.hello.pid)).toBe(false);
  expect(await home.entry("job")).toMatchObject({ state: "pending", attempts: 0 });
});
