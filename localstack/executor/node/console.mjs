import { format } from 'node:util';

/** The invocation that runs, for the lines of the log. */
export const currentRequest = { id: undefined };

const LEVELS = { log: 'INFO', info: 'INFO', debug: 'DEBUG', trace: 'TRACE', warn: 'WARN', error: 'ERROR' };

/** Prints as Lambda's Node runtime does: time, request, level and message, parted by tabs. */
export function lambdaConsole() {
  for (const [method, level] of Object.entries(LEVELS)) {
    console[method] = (...words) => {
      const parts = [new Date().toISOString(), currentRequest.id, level, format(...words)];
      process.stdout.write(`${parts.join('\t')}\n`);
    };
  }
}
