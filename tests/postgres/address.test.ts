import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { QueueError } from "../../src/job/errors.ts";
import { parseAddress } from "../../src/store/postgres/address.ts";

const root = mkdtempSync(join(tmpdir(), "address-"));
afterAll(() => rmSync(root, { recursive: true }));
let homes = 0;

/** A home with such a password file. */
function homeWith(pgpass: string, mode = 0o600): { HOME: string } {
  const HOME = join(root, `${homes++}`);
  mkdirSync(HOME);
  writeFileSync(join(HOME, ".pgpass"), pgpass, { mode });
  return { HOME };
}

function mistake(text: string, env: Record<string, string> = {}): string {
  try {
    parseAddress(text, env);
  } catch (error) {
    if (error instanceof QueueError && error.code === "E_USAGE") return error.message;
    throw error;
  }
  throw new Error("expected a mistake");
}

describe("an address", () => {
  test.each([
    ["postgres://me@db.example.org:5433/jobs", "queuectl", "postgres://me@db.example.org:5433/jobs"],
    ["postgresql://db/jobs?schema=other", "other", "postgresql://db/jobs?schema=other"],
    ["postgres://db/jobs?schema=queuectl", "queuectl", "postgres://db/jobs"],
    ["postgres://me:hush@db/jobs?schema=a_1", "a_1", "postgres://me@db/jobs?schema=a_1"],
    [
      "postgres://me@db/jobs?password=hush&sslmode=require&sslpassword=hush",
      "queuectl",
      "postgres://me@db/jobs?sslmode=require",
    ],
    ["postgres://us%40er:p%40ss@[::1]:5432/my%20jobs", "queuectl", "postgres://us%40er@[::1]:5432/my%20jobs"],
  ])("%s has the schema %s and is shown as %s", (text, schema, told) => {
    const address = parseAddress(text, {});
    expect(address).toMatchObject({ schema, shown: told });
    expect(address.url).not.toContain("schema=");
    expect(parseAddress(address.shown, {})).toMatchObject({ schema, shown: told });
  });

  test.each(["mysql://me:hush@db/jobs", "postgres//me:hush@db", "hush", "", "postgres://[hush"])(
    "is not %p, which is not repeated",
    (text) => {
      expect(mistake(text)).toBe("The address of the store is not one like postgres://user@host:5432/database.");
    },
  );

  test.each(["A", "1a", "a-b", 'a";drop', "x".repeat(51), ""])("has no schema %p", (schema) => {
    const text = `postgres://me:hush@db/jobs?schema=${encodeURIComponent(schema)}`;
    expect(mistake(text)).toBe(`The schema must be up to 50 of a-z, 0-9 and _, got ${JSON.stringify(schema)}.`);
  });
});

describe("the connection", () => {
  test.each([
    ["postgres://db.example.org/jobs", {}, "prefer"],
    ["postgres://localhost/jobs", {}, undefined],
    ["postgres://127.0.0.1/jobs", {}, undefined],
    ["postgres://[::1]/jobs", {}, undefined],
    ["postgres:///jobs", {}, undefined],
    ["postgres://db.example.org/jobs?sslmode=verify-full", {}, undefined],
    ["postgres://db.example.org/jobs?sslmode=disable", {}, undefined],
    ["postgres://db.example.org/jobs", { PGSSLMODE: "require" }, undefined],
  ])(
    "to %s with %p is encrypted as the address or PGSSLMODE says, else if it leaves the machine: %p",
    (text, env, tls) => {
      expect(parseAddress(text, env).tls).toBe(tls as "prefer" | undefined);
    },
  );

  test("keeps sslmode for the driver", () => {
    expect(parseAddress("postgres://db/jobs?sslmode=require&schema=x", {}).url).toBe(
      "postgres://db/jobs?sslmode=require",
    );
  });
});

describe("the password", () => {
  test("in the address goes before PGPASSWORD, which goes before the password file", () => {
    const env = { ...homeWith("*:*:*:*:filed"), PGPASSWORD: "by-variable" };
    expect(parseAddress("postgres://me:own@db/jobs", env)).toMatchObject({ password: undefined });
    expect(parseAddress("postgres://me:own@db/jobs", env).url).toBe("postgres://me:own@db/jobs");
    expect(parseAddress("postgres://me@db/jobs", env).password).toBe("by-variable");
    expect(parseAddress("postgres://me@db/jobs", { HOME: env.HOME }).password).toBe("filed");
  });

  test.each([
    ["db:5432:jobs:me:exact", "exact"],
    ["*:*:*:*:any", "any"],
    ["other:5432:jobs:me:no\n# db:5432:jobs:me:no\ndb:*:jobs:*:second\n*:*:*:*:third", "second"],
    ["db:5433:jobs:me:no", undefined],
    ["db:5432:others:me:no", undefined],
    ["db:5432:jobs:you:no", undefined],
    ["db:5432:jobs:me:with\\:colon\\\\and backslash", "with:colon\\and backslash"],
    ["db:5432:jobs:me", undefined],
    ["db:5432:jobs:me:too:many", undefined],
    ["nonsense\n\n", undefined],
  ])("of a file with %j is %p", (pgpass, password) => {
    expect(parseAddress("postgres://me@db/jobs", homeWith(pgpass)).password).toBe(password);
  });

  test("is found by what libpq takes where the address leaves something out", () => {
    const { HOME } = homeWith("localhost:5432:me:me:by-user\nlocalhost:6000:own:you:by-variables");
    expect(parseAddress("postgres:///", { HOME, USER: "me" }).password).toBe("by-user");
    const env = { HOME, USER: "me", PGUSER: "you", PGDATABASE: "own", PGPORT: "6000" };
    expect(parseAddress("postgres:///", env).password).toBe("by-variables");
    expect(parseAddress("postgres://us%40er@db/my%20jobs", homeWith("db:5432:my jobs:us@er:decoded")).password).toBe(
      "decoded",
    );
  });

  test("is in the file that PGPASSFILE names, and in none where there is none", () => {
    const { HOME } = homeWith("*:*:*:*:named");
    expect(parseAddress("postgres://me@db/jobs", { PGPASSFILE: join(HOME, ".pgpass") }).password).toBe("named");
    expect(parseAddress("postgres://me@db/jobs", { HOME: join(root, "nowhere") }).password).toBeUndefined();
    expect(parseAddress("postgres://me@db/jobs", {}).password).toBeUndefined();
  });

  test.each([0o644, 0o640, 0o604, 0o660])("is not taken from a file that is open to others, %o", (mode) => {
    const env = homeWith("*:*:*:*:open", mode);
    const umasked = Bun.spawnSync(["chmod", mode.toString(8), join(env.HOME, ".pgpass")]);
    expect(umasked.success).toBe(true);
    expect(mistake("postgres://me@db/jobs", env)).toBe(`The password file ${env.HOME}/.pgpass may be read by others.`);
  });

  test("is taken through a symbolic link, if what that leads to is closed to others, and not from a directory", () => {
    const { HOME } = homeWith("*:*:*:*:linked");
    const link = join(HOME, "link");
    symlinkSync(join(HOME, ".pgpass"), link);
    expect(parseAddress("postgres://me@db/jobs", { PGPASSFILE: link }).password).toBe("linked");
    chmodSync(join(HOME, ".pgpass"), 0o644);
    expect(mistake("postgres://me@db/jobs", { PGPASSFILE: link })).toBe(
      `The password file ${link} may be read by others.`,
    );
    expect(parseAddress("postgres://me@db/jobs", { PGPASSFILE: HOME }).password).toBeUndefined();
  });

  test("is in no file that cannot be reached", () => {
    const { HOME } = homeWith("*:*:*:*:filed");
    const PGPASSFILE = join(HOME, ".pgpass", "within");
    expect(parseAddress("postgres://me@db/jobs", { PGPASSFILE }).password).toBeUndefined();
  });

  // A regular file with mode 0600 that not even root can read from its beginning.
  test.if(process.platform === "linux")("is asked for in vain of a file that cannot be read, which is told", () => {
    expect(() => parseAddress("postgres://me@db/jobs", { PGPASSFILE: "/proc/self/mem" })).toThrow(
      "Cannot read /proc/self/mem: the disk reports an error (EIO).",
    );
  });
});
