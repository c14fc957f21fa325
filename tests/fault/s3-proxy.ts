/**
 * A proxy between a client and an S3 server, on loopback, that does to requests what networks do: it loses them, loses
 * their answers, cuts these in the middle, delivers twice, late, or not at all.
 */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

/** What happens to one request. */
export type Fate =
  /** It goes through, and so does its answer. */
  | 'pass'
  /** The connection breaks before the server has the request. */
  | 'drop'
  /** The server does what it is asked for; the connection breaks before the answer. */
  | 'cut'
  /** The same, in the middle of the answer. */
  | 'halve'
  /** The server gets it twice, one after the other; the client gets the second answer. */
  | 'twice'
  /** The client is never answered, and the connection stays. */
  | 'hold'
  /** The connection breaks at once, and yet the server gets the request, so many milliseconds later. */
  | { readonly late: number }
  /** It goes through, so many milliseconds later. */
  | { readonly delay: number }
  /** The proxy answers in the server's stead, and the server gets nothing. */
  | { readonly status: number; readonly code: string; readonly headers?: Readonly<Record<string, string>> }
  /** The proxy answers with this XML and success; the server gets nothing. */
  | { readonly replace: string }
  /** It goes through without these headers. */
  | { readonly without: readonly string[] };

/** A request as {@link Decide} sees it. */
export interface ProxiedRequest {
  /** 1 for the first that the proxy got. */
  readonly number: number;
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** Chooses the fate of a request. */
export type Decide = (request: ProxiedRequest) => Fate;

/** A proxy that runs. */
export interface S3Proxy {
  /** Where clients reach it. */
  readonly url: string;
  /** May be replaced at any time; at first everything passes. */
  decide: Decide;
  /** All requests so far, in the order of their coming, with what became of them. */
  readonly seen: (ProxiedRequest & { readonly fate: Fate })[];
  /** Done when the server has had all that is on its way to it, late deliveries too. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Starts a proxy for the server at `target`, `http://host:port`. */
export async function startProxy(target: string): Promise<S3Proxy> {
  const upstream = new URL(target);
  const running = new Set<Promise<void>>();
  const forward = async (from: IncomingMessage, body: Buffer, without: readonly string[] = []): Promise<Answer> => {
    const headers = Object.fromEntries(Object.entries(from.headers).filter(([name]) => !without.includes(name)));
    const sent = request({
      host: upstream.hostname,
      port: upstream.port,
      method: from.method,
      path: from.url,
      // The signature covers the Host header, which stays the proxy's.
      headers,
      agent: false,
    });
    sent.end(body);
    const [answer]: [IncomingMessage] = (await once(sent, 'response')) as [IncomingMessage];
    return { status: answer.statusCode ?? 502, headers: answer.headers, body: await buffer(answer) };
  };

  const serve = async (from: IncomingMessage, to: ServerResponse): Promise<void> => {
    const body = await buffer(from);
    const { method = '', url = '', headers } = from;
    const arrived: ProxiedRequest = { number: proxy.seen.length + 1, method, url, headers };
    const fate = proxy.decide(arrived);
    proxy.seen.push({ ...arrived, fate });
    if (fate === 'hold') return;
    if (fate === 'drop') return void to.destroy();
    if (typeof fate === 'object' && 'late' in fate) {
      to.destroy();
      await sleep(fate.late);
      await forward(from, body);
      return;
    }
    if (typeof fate === 'object' && 'status' in fate)
      return reply(to, xml(fate.status, errorXml(fate.code), fate.headers), method);
    if (typeof fate === 'object' && 'replace' in fate) return reply(to, xml(200, fate.replace), method);
    if (typeof fate === 'object' && 'delay' in fate) await sleep(fate.delay);
    if (fate === 'twice') await forward(from, body);
    const answer = await forward(from, body, typeof fate === 'object' && 'without' in fate ? fate.without : []);
    if (fate === 'cut') return void to.destroy();
    if (fate === 'halve') return half(to, answer);
    reply(to, answer, method);
  };

  const server = createServer((from, to) => {
    // A client or a server that goes away breaks the connection, as it would without a proxy.
    const service = serve(from, to)
      .catch(() => void to.destroy())
      .finally(() => running.delete(service));
    running.add(service);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const proxy: S3Proxy = {
    url: `http://127.0.0.1:${port}`,
    decide: () => 'pass',
    seen: [],
    async settled() {
      await Promise.all(running);
    },
    async stop() {
      await Promise.all(running);
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return proxy;
}

function errorXml(code: string): string {
  return `<Error><Code>${code}</Code><Message>by the proxy</Message></Error>`;
}

function xml(status: number, content: string, more: IncomingHttpHeaders = {}): Answer {
  const body = Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>${content}`);
  const headers = { ...more, 'content-type': 'application/xml', 'content-length': String(body.length) };
  return { status, headers, body };
}

function reply(to: ServerResponse, { status, headers, body }: Answer, method: string): void {
  to.writeHead(status, headers);
  to.end(method === 'HEAD' ? undefined : body);
}

/** Sends the headers and half of the body, and breaks the connection; all of a body's bytes but its length are the server's. */
function half(to: ServerResponse, { status, headers, body }: Answer): void {
  to.writeHead(status, { ...headers, 'content-length': String(Math.max(body.length, 2)) });
  to.write(body.subarray(0, Math.floor(body.length / 2)), () => to.destroy());
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Every kind of passing fault, by a seed; this share of the requests has one. */
export function mixed(seed: number, share = 0.5): Decide {
  const random = seeded(seed);
  const faults: readonly Fate[] = [
    'drop',
    'cut',
    'cut',
    'halve',
    'twice',
    { late: 30 },
    { delay: 20 },
    { status: 503, code: 'SlowDown' },
    { status: 500, code: 'InternalError' },
    { status: 429, code: 'TooManyRequests' },
  ];
  return () => (random() < share ? (faults[Math.floor(random() * faults.length)] ?? 'pass') : 'pass');
}
