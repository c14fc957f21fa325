import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startGroup } from '../../../lib/process/group.ts';
import { groupMembers, survivors } from './processes.ts';

async function membersOf(group: number, count: number): Promise<number[]> {
  for (;;) {
    const members = await groupMembers(group);
    if (members.length >= count) return members;
    await sleep(20);
  }
}

describe('a process group', () => {
  it('is gone after stop, with those of its processes that do not listen to SIGTERM', async () => {
    const script = `sh -c "trap '' TERM; sleep 600; sleep 600" & exec sleep 600`;
    const group = await startGroup('sh', ['-c', script], { stdio: 'ignore' });
    const members = await membersOf(group.pid, 3);
    await group.stop();
    expect(await survivors(members)).toEqual([]);
    await group.ended;
  });

  it('settles ended when its first process ends by itself', async () => {
    const group = await startGroup('sh', ['-c', 'exit 3'], { stdio: 'ignore' });
    await group.ended;
    await group.stop();
  });

  it('can still be stopped where its first process has ended and another one has not', async () => {
    const group = await startGroup('sh', ['-c', 'sleep 600 &'], { stdio: 'ignore' });
    await group.ended;
    const members = await membersOf(group.pid, 1);
    await group.stop();
    await group.stop();
    expect(await survivors(members)).toEqual([]);
  });

  it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)('ends with a parent that %s ends', async (signal) => {
    const parent = spawn(process.execPath, [join(import.meta.dirname, 'group-parent.ts')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(parent.stdout, 'data');
    const members = await membersOf(Number(String(line)), 3);
    parent.kill(signal);
    expect(await survivors(members)).toEqual([]);
  });

  it('throws what the system says of a command that is not there', async () => {
    await expect(startGroup('no-such-command', [], { stdio: 'ignore' })).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
