import { createServer, request } from 'node:http';

/** A proxy before a server, for those alone who send this `authorization`; others get 401. */
export interface AuthProxy {
  readonly uri: string;
  stop(): Promise<void>;
}

/** Starts one on a free port of loopback. */
export async function startAuthProxy(server: string, authorization: string): Promise<AuthProxy> {
  const { hostname, port } = new URL(server);
  const proxy = createServer((asked, answer) => {
    if (asked.headers.authorization !== authorization) {
      asked.resume();
      answer.writeHead(401, { 'www-authenticate': 'Basic' }).end('who are you?');
      return;
    }
    const { authorization: _, ...headers } = asked.headers;
    const passed = request({ hostname, port, method: asked.method, path: asked.url, headers }, (back) => {
      answer.writeHead(back.statusCode ?? 502, back.headers);
      back.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    asked.pipe(passed);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address();
  return {
    uri: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    stop: () =>
      new Promise<void>((resolve) => {
        proxy.close(() => resolve());
        proxy.closeAllConnections();
      }),
  };
}
