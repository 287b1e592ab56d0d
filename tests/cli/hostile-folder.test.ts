import { expect, test } from "bun:test";
import { Home, printed } from "../support/home.ts";

/** A home whose current folder wants to run code in, and give settings to, whatever is started there. */
function hostileHome(): Home {
  const home = new Home();
  home.write("preload.ts", 'require("node:fs").writeFileSync("preload-ran", "");');
  home.write("bunfig.toml", 'preload = ["./preload.ts"]\n[run]\nsilent = true\n[test]\npreload = ["./preload.ts"]\n');
  for (const name of [".env", ".env.local", ".env.production", ".env.development"]) {
    home.write(name, "QUEUECTL_MAX_RETRIES=9\nQUEUECTL_DATA_DIR=stolen\nFROM_ENV_FILE=yes\n");
  }
  return home;
}

test("a bunfig.toml in the current folder is not run, by no command and no worker", async () => {
  await using home = hostileHome();
  await home.obey("enqueue", '{"id":"p1","command":"true"}');
  await home.obey("list");
  await home.obey("--help");
  expect((await home.drain()).exitCode).toBe(0);
  expect(await home.run("worker-start", "--detach")).toMatchObject({ exitCode: 0 });
  await home.obey("worker-stop");
  expect(home.read("preload.ts")).not.toBe("");
  expect((await home.shell("ls")).stdout.split("\n")).not.toContain("preload-ran");
});

test("an .env in the current folder changes neither the settings nor the environment of jobs", async () => {
  await using home = hostileHome();
  expect(await home.run("config-get", "max_retries")).toEqual(printed("3\n"));
  await home.enqueue({ id: "p1", command: "printenv" });
  await home.drain();
  const variables = await home.obey("logs", "p1");
  expect(variables).toContain("QUEUECTL_JOB_ID=p1\n");
  expect(variables).not.toContain("FROM_ENV_FILE");
  expect(variables).not.toContain("QUEUECTL_MAX_RETRIES");
  expect((await home.shell("ls -d stolen db")).stdout).toBe("db\n");
});
