import { expect, test } from "bun:test";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Home } from "../support/home.ts";
import { sorted } from "../support/sorted.ts";

const COMMANDS = [
  ["list"],
  ["status"],
  ["show", "p1"],
  ["enqueue", '{"command":"true"}'],
  ["dlq-retry", "p1"],
  ["worker-start"],
] as const;

test.concurrent.each(["queue.json", "dlq.json"])(
  "a %s that is not JSON is told with its line, by exit code 7, and left as it is",
  async (name) => {
    await using home = new Home();
    await home.enqueue({ id: "p1", command: "true" }, { id: "p2", command: "true" });
    const list = name === "queue.json" ? "jobs" : "dlq";
    const damaged = `{"version":1,"generation":1,"seq":2,"sum":"","${list}":[\n{"id":"p1"},\n{"id":oops}\n],"check":""}\n`;
    home.write(`db/data/${name}`, damaged);
    for (const args of COMMANDS) {
      const { stdout, stderr, exitCode } = await home.run(...args);
      expect([args, exitCode, stdout]).toEqual([args, 7, ""]);
      expect(stderr).toContain(`${home.data}/${name}, line 3: not valid JSON.\n`);
      expect(home.read(`db/data/${name}`)).toBe(damaged);
    }
  },
);

test.concurrent("a queue.json that is empty or cut short is never replaced", async () => {
  await using home = new Home();
  await home.enqueue({ id: "p1", command: "true" });
  const whole = home.read("db/data/queue.json");
  for (const damaged of ["", "\n", whole.slice(0, -40)]) {
    home.write("db/data/queue.json", damaged);
    for (const args of COMMANDS) expect((await home.run(...args)).exitCode).toBe(7);
    expect(home.read("db/data/queue.json")).toBe(damaged);
  }
  home.write("db/data/queue.json", whole);
  expect(await home.jobs()).toMatchObject([{ id: "p1" }]);
});

test.concurrent.each(["queue.json", "dlq.json", "journal"])(
  "a store whose %s is gone is told so, and nothing is begun anew beside the rest",
  async (missing) => {
    await using home = new Home();
    await home.enqueue({ id: "p1", command: "true" });
    await home.drain();
    const [name = ""] = filesOf(home).filter((file) => file.startsWith(missing));
    rmSync(join(home.data, name));
    const left = filesOf(home);
    for (const args of COMMANDS) {
      const { stdout, stderr, exitCode } = await home.run(...args);
      expect([args, exitCode, stdout]).toEqual([args, 7, ""]);
      expect(stderr).toContain(name);
      expect(filesOf(home)).toEqual(left);
    }
  },
);

test.concurrent("a command changed by hand is damage, not another command", async () => {
  await using home = new Home();
  await home.enqueue({ id: "p1", command: "echo safe" });
  const changed = home.read("db/data/queue.json").replace("echo safe", "echo evil");
  home.write("db/data/queue.json", changed);
  const ended = await home.run("worker-start", "--drain");
  expect(ended).toMatchObject({
    stderr: expect.stringContaining("queue.json: its checksum does not match"),
    exitCode: 7,
  });
  expect(home.read("db/data/queue.json")).toBe(changed);
});

test.concurrent("a config.json that is not JSON is told with its line, and left as it is", async () => {
  await using home = new Home();
  const damaged = '{"max_retries": 5,\n "backoff_base": two\n}\n';
  await home.enqueue({ id: "p1", command: "true" });
  home.write("db/data/config.json", damaged);
  const commands = [
    ["config-get"],
    ["config-set", "max_retries", "4"],
    ["enqueue", '{"command":"true"}'],
    ["worker-start"],
  ];
  for (const args of commands) {
    const { stdout, stderr, exitCode } = await home.run(...args);
    expect([args, exitCode, stdout]).toEqual([args, 7, ""]);
    expect(stderr).toContain(`${home.data}/config.json, line 2: not valid JSON.\n`);
  }
  expect(home.read("db/data/config.json")).toBe(damaged);
  expect(await home.jobs()).toHaveLength(1);
});

test.concurrent("a value in config.json that cannot be is told, and config-set mends it", async () => {
  await using home = new Home();
  home.write("db/data/config.json", '{"backoff_base":"abc"}');
  expect(await home.run("config-get", "backoff_base")).toEqual({
    stdout: "",
    stderr: `${home.data}/config.json: backoff_base must be a number from 0 to 1000, got "abc".\nSet it anew: queuectl config-set backoff_base <value>\n`,
    exitCode: 7,
  });
  await home.obey("config-set", "backoff_base", "2");
  expect(await home.obey("config-get", "backoff_base")).toBe("2\n");
});

test.concurrent("a queue of a later version is refused and left as it is", async () => {
  await using home = new Home();
  const later = '{"version":2,"anything":[]}\n';
  home.write("db/data/queue.json", later);
  expect(await home.run("enqueue", '{"command":"true"}')).toMatchObject({
    stdout: "",
    stderr: expect.stringContaining("format version 2"),
    exitCode: 7,
  });
  expect(home.read("db/data/queue.json")).toBe(later);
});

function filesOf(home: Home): string[] {
  return sorted(readdirSync(home.data));
}

test.concurrent("a large queue in which a byte was changed is told of and left as it is, also by worker-start", async () => {
  await using home = new Home();
  home.write("jobs.jsonl", Array.from({ length: 9000 }, (_, n) => `{"id":"job-${n}","command":"true"}\n`).join(""));
  await home.obey("enqueue", "--file", "jobs.jsonl");
  const damaged = home.read("db/data/queue.json").replace('"job-4321","command":"true"', '"job-4321","command":"tree"');
  home.write("db/data/queue.json", damaged);
  for (const args of [["list"], ["status"], ["worker-start"], ["worker-start", "--drain"]]) {
    const { stderr, exitCode } = await home.run(...args);
    expect([args, exitCode]).toEqual([args, 7]);
    expect(stderr).toContain(`${home.data}/queue.json: its checksum does not match`);
    expect(home.read("db/data/queue.json")).toBe(damaged);
  }
});
