import { createServer, Socket } from 'node:net';

/**
 * A TCP port of loopback that a server can listen on: the wanted one where nobody has it by either of loopback's
 * names (macOS gives 5000 to AirPlay), else a free one.
 *
 * @param wanted 0 or absent: any free one
 */
export async function portToUse(wanted = 0): Promise<number> {
  const taken = wanted !== 0 && ((await answers('127.0.0.1', wanted)) || (await answers('::1', wanted)));
  const port = taken ? undefined : await canListen(wanted);
  return port ?? (await canListen(0)) ?? wanted;
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = new Socket();
    const done = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(1000, () => done(false));
    socket.once('error', () => done(false));
    socket.connect(port, host, () => done(true));
  });
}

function canListen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}
