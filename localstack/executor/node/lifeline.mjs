// Ends the process, and what it started, when the other end of a pipe is gone, which is when LocalStack is.
import { Socket } from 'node:net';
import { workerData } from 'node:worker_threads';

const lifeline = new Socket({ fd: workerData, writable: false });
const end = () => process.kill(-process.pid, 'SIGKILL');
lifeline.on('end', end).on('error', end).resume();
