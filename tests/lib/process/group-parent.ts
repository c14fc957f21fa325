// Starts a group of two processes that would run for long, prints the group's id, and waits for its own end.
import { startGroup } from '../../../lib/process/group.ts';

const { pid } = await startGroup('sh', ['-c', 'sleep 600 & sleep 600'], { stdio: 'ignore' });
process.stdout.write(`${pid}\n`);
setInterval(() => undefined, 1000);
