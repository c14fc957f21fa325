import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, Socket } from 'node:net';

/** The ports that this process has taken for its servers. */
const held = new Map<number, UdpSocket>();

/**
 * Takes a TCP port of loopback for a server that is about to start: the wanted one where nobody has it by either of
 * loopback's names (macOS gives 5000 to AirPlay), else a free one.
 *
 * A server may need seconds until it listens, and another start must not choose the same port in the meantime. So the
 * UDP port of the same number is held until {@link releasePort}, or the end of this process.
 *
 * @param wanted 0 or absent: any free one
 */
export async function portToUse(wanted = 0): Promise<number> {
  if (wanted !== 0 && (await isFree(wanted)) && (await hold(wanted))) return wanted;
  for (;;) {
    const port = await listenOnce(0);
    if (port !== undefined && (await hold(port))) return port;
  }
}

/** Gives up a port that {@link portToUse} took, once its server has ended. */
export function releasePort(port: number): void {
  held.get(port)?.close();
  held.delete(port);
}

async function isFree(port: number): Promise<boolean> {
  if ((await answers('127.0.0.1', port)) || (await answers('::1', port))) return false;
  return (await listenOnce(port)) !== undefined;
}

function hold(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => {
      socket.close();
      resolve(false);
    });
    socket.bind({ port, address: '127.0.0.1', exclusive: true }, () => {
      socket.unref();
      held.set(port, socket);
      resolve(true);
    });
  });
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

/** The port that could be listened on; undefined where that one is taken, or not allowed. */
function listenOnce(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}
