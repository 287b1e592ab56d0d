/** A proxy on loopback in front of a port there or elsewhere, through which what networks do can be done to connections. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { freePort } from "./free-port.ts";

export class TcpProxy implements AsyncDisposable {
  readonly port = freePort();
  readonly #target: { readonly port: number; readonly host: string };
  readonly #server = createServer((client) => this.#relay(client));
  readonly #relays = new Set<Relay>();
  #isStalled = false;

  private constructor(port: number, host: string) {
    this.#target = { port, host };
  }

  static async start(port: number, host = "127.0.0.1"): Promise<TcpProxy> {
    const proxy = new TcpProxy(port, host);
    await proxy.accept();
    return proxy;
  }

  /** From which ports it is connected to the server. */
  get ports(): number[] {
    return Array.from(this.#relays, ({ port }) => port ?? 0);
  }

  /** Ends all connections, and goes on accepting new ones. */
  cut(): void {
    for (const relay of this.#relays) relay.cut();
  }

  /** Refuses new connections. Those that there are stay. */
  refuse(): void {
    this.#server.close();
  }

  /** Accepts connections again. */
  async accept(): Promise<void> {
    this.#server.listen(this.port, "127.0.0.1");
    await once(this.#server, "listening");
  }

  /** Keeps every byte and every end to itself; new connections are accepted, and are treated likewise. */
  stall(): void {
    this.#isStalled = true;
    for (const relay of this.#relays) relay.stall();
  }

  /** Passes on what came in the meantime, and goes on. */
  flow(): void {
    this.#isStalled = false;
    for (const relay of this.#relays) relay.flow();
  }

  /** Keeps to itself what the server says on the connections that there are. What clients say reaches it. */
  mute(): void {
    for (const relay of this.#relays) relay.mute();
  }

  /** As if every client had vanished without a word: the server sees its end, the client an open, silent connection. */
  halfOpen(): void {
    for (const relay of this.#relays) relay.halfOpen();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const isClosed = this.#server.listening && once(this.#server, "close");
    this.refuse();
    this.cut();
    await isClosed;
  }

  #relay(client: Socket): void {
    const relay = new Relay(client, connect(this.#target));
    this.#relays.add(relay);
    client.once("close", () => this.#relays.delete(relay));
    if (!this.#isStalled) relay.flow();
  }
}

/** One client's connection and the one to the server. It passes nothing on until it is told to. */
class Relay {
  readonly #client: Socket;
  readonly #upstream: Socket;

  constructor(client: Socket, upstream: Socket) {
    this.#client = client;
    this.#upstream = upstream;
    client.on("error", () => upstream.destroy());
    upstream.on("error", () => client.destroy());
  }

  get port(): number | undefined {
    return this.#upstream.localPort;
  }

  flow(): void {
    // An end is passed on as well.
    this.#client.pipe(this.#upstream).pipe(this.#client);
  }

  stall(): void {
    this.#client.unpipe().pause();
    this.#upstream.unpipe().pause();
  }

  mute(): void {
    this.#upstream.unpipe().pause();
  }

  halfOpen(): void {
    this.#client.unpipe().resume();
    this.#upstream.unpipe().destroy();
  }

  cut(): void {
    this.#client.destroy();
    this.#upstream.destroy();
  }
}
