import { expect } from "bun:test";
import { test } from "../support/both-stores.ts";
import { type Home, printed } from "../support/home.ts";

const SECRET = "a secret of two\nlines";

interface Heard {
  readonly headers: Headers;
  readonly body: string;
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
}

/** A server that answers with these in turn, then with the last one, and remembers what it was told. */
function listener(...answers: readonly Answer[]) {
  const heard: Heard[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      heard.push({ headers: request.headers, body: await request.text() });
      const { status, headers } = answers[heard.length - 1] ?? answers.at(-1) ?? answer(200);
      return new Response("", { status, headers });
    },
  });
  return { heard, url: `http://127.0.0.1:${server.port}/told`, [Symbol.asyncDispose]: () => server.stop(true) };
}

function answer(status: number, headers: Record<string, string> = {}): Answer {
  return { status, headers };
}

async function tells(home: Home, url: string): Promise<void> {
  await home.obey("config-set", "backoff_base", "0");
  await home.obey("config-set", "webhook_url", url);
}

test("a server is told with a signature that it can verify, again until it has heard", async (home) => {
  await using server = listener(answer(500), answer(503), answer(204));
  await tells(home, server.url);
  home.write("secret", `${SECRET}\n`);
  expect(await home.shell("queuectl config-set webhook_secret - < secret")).toEqual(
    printed("⚙️ Config updated: webhook_secret = (hidden)\n"),
  );
  await home.enqueue({ id: "é/1", command: "echo no; exit 3", max_retries: 0 });
  expect((await home.drain()).exitCode).toBe(5);
  expect(server.heard).toHaveLength(3);
  for (const { headers, body } of server.heard) {
    const hmac = new Bun.CryptoHasher("sha256", SECRET).update(body).digest("hex");
    expect(headers.get("x-queuectl-signature")).toBe(`sha256=${hmac}`);
    const { sent_at, ...told } = JSON.parse(body);
    expect(headers.get("x-queuectl-timestamp")).toBe(String(sent_at));
    expect(headers.get("content-type")).toBe("application/json");
    expect(told).toEqual({
      event: "dead",
      job: {
        ...{ id: "é/1", command: "echo no; exit 3", queue: "default", state: "dead", attempts: 1 },
        ...{ ended_at: expect.any(Number), error: "exit 3: no" },
      },
    });
  }
  expect(new Set(server.heard.map(({ headers }) => headers.get("x-queuectl-delivery"))).size).toBe(1);
  expect(await home.jobs()).toMatchObject([{ state: "completed", attempts: 3, queue: "hooks" }]);
});

test("a server that will not hear is not asked again: the DLQ tells what it said", async (home) => {
  await using server = listener(answer(404));
  await tells(home, server.url);
  await home.enqueue({ id: "p1", command: "true" });
  expect((await home.drain()).exitCode).toBe(5);
  expect(server.heard).toHaveLength(1);
  expect(server.heard[0]?.headers.get("x-queuectl-signature")).toBeNull();
  expect(await home.deadLetters()).toMatchObject([
    { attempts: 1, error: `exit 64: ${server.url} answered 404 Not Found`, env: { JOB_ID: "p1" } },
  ]);
});

test("a server that leads elsewhere is not followed, and one that says when is asked then", async (home) => {
  await using elsewhere = listener(answer(200));
  await using server = listener(answer(429, { "Retry-After": "0" }), answer(307, { Location: elsewhere.url }));
  await tells(home, server.url);
  await home.obey("config-set", "backoff_base", "1000");
  await home.enqueue({ id: "p1", command: "true" });
  expect((await home.drain()).exitCode).toBe(5);
  expect([server.heard.length, elsewhere.heard.length]).toEqual([2, 0]);
  expect(await home.deadLetters()).toMatchObject([{ attempts: 2, error: expect.stringContaining("answered 307") }]);
});

test("a server that is not there is tried as often as any job", async (home) => {
  const server = listener();
  await server[Symbol.asyncDispose]();
  await tells(home, server.url);
  await home.enqueue({ id: "p1", command: "true" });
  await home.drain();
  expect(await home.deadLetters()).toMatchObject([
    { attempts: 4, error: expect.stringMatching(/^exit 75: .* did not answer: /) },
  ]);
});

test("a worker's own server and secret rule, and no other job sees them", async (home) => {
  await using server = listener(answer(200));
  const env = { QUEUECTL_WEBHOOK_URL: server.url, QUEUECTL_WEBHOOK_SECRET: "of-the-worker" };
  await home.obey("config-set", "on_complete", "printenv >> seen");
  await home.enqueue({ id: "p1", command: "printenv >> seen" });
  expect(await home.runIn({ env }, "worker-start", "--drain")).toMatchObject({ exitCode: 0 });
  const [told] = server.heard;
  const hmac = new Bun.CryptoHasher("sha256", "of-the-worker").update(told?.body ?? "").digest("hex");
  expect(told?.headers.get("x-queuectl-signature")).toBe(`sha256=${hmac}`);
  expect(home.read("seen")).toContain("JOB_ID=p1\n");
  expect(home.read("seen")).not.toContain("of-the-worker");
  expect(home.read("seen")).not.toContain("QUEUECTL_PROGRAM");
});

test("a secret is shown to nobody who does not ask for it, and never taken from the command line", async (home) => {
  const refused = await home.run("config-set", "webhook_secret", "hush");
  expect(refused).toEqual({
    stdout: "",
    stderr:
      "webhook_secret is not taken from the command line, where others can read it.\n" +
      "Give it on standard input: queuectl config-set webhook_secret - < file\n",
    exitCode: 2,
  });
  await home.shell("printf hush | queuectl config-set webhook_secret -");
  const ways = [[], ["webhook_secret"], ["--json"], ["--show-origin"], ["--show-origin", "--json"]];
  for (const way of ways) {
    const shown = await home.obey("config-get", ...way);
    expect(shown).toContain("(hidden)");
    expect(shown).not.toContain("hush");
    expect(await home.obey("config-get", ...way, "--reveal")).toContain("hush");
  }
  const env = { QUEUECTL_WEBHOOK_SECRET: "whisper" };
  const script = "printf hush | queuectl config-set webhook_secret -";
  const warned = await home.startOther(["/bin/sh", "-c", script], { env }).end();
  expect(warned.stderr).toBe("Warning: QUEUECTL_WEBHOOK_SECRET overrides it here: webhook_secret is (hidden).\n");
  expect(await home.obey("config-set", "--unset", "webhook_secret")).toBe(
    "⚙️ Config updated: webhook_secret = (default)\n",
  );
});
