import { createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { portToUse, releasePort } from '../../../lib/process/port.ts';

async function listening(port: number, host: string): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  return server;
}

/** Machines without IPv6 have only the first. */
const LOOPBACK = ['127.0.0.1', '::1'].filter((wanted) =>
  Object.values(networkInterfaces()).some((of) => of?.some(({ address }) => address === wanted)),
);

describe('portToUse', () => {
  const taken: number[] = [];
  const take = async (wanted?: number) => {
    const port = await portToUse(wanted);
    taken.push(port);
    return port;
  };
  afterEach(() => {
    for (const port of taken.splice(0)) releasePort(port);
  });

  it('takes the wanted port where nobody has it', async () => {
    const port = await take();
    releasePort(port);
    expect(await take(port)).toBe(port);
    (await listening(port, '127.0.0.1')).close();
  });

  it.each(LOOPBACK)('takes another one where somebody listens on %s', async (host) => {
    const port = await take();
    const server = await listening(port, host);
    releasePort(port);
    const other = await take(port);
    server.close();
    expect(other).not.toBe(port);
  });

  it('takes another one where a start that has not come to listen has it', async () => {
    const port = await take();
    expect(await take(port)).not.toBe(port);
  });

  it('takes as many different ports as are asked for at once', async () => {
    const wanted = await take();
    releasePort(wanted);
    const ports = await Promise.all(Array.from({ length: 20 }, () => take(wanted)));
    expect(new Set(ports).size).toBe(20);
    expect(ports).toContain(wanted);
  });
});
