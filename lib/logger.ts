import { join } from 'node:path';
import {
  type DestinationStream,
  destination,
  type Level,
  type Logger,
  multistream,
  pino,
  type StreamEntry,
} from 'pino';
import { type Config, type LogLevel, loadConfig } from './config.ts';
import { LakeletError, messageOf, printable } from './errors.ts';

export type { Logger } from 'pino';

let root: Logger | undefined;
let standardErrorLevel: LogLevel | undefined;

/**
 * A logger that writes JSON lines to standard error, and to `logs/lakelet-<date>.log` as well where the run is local.
 * Fields that carry credentials are cut out. LOG_LEVEL says how much is written.
 *
 * @param name who is logging, for example `bronze`
 * @throws LakeletError `CONFIG_INVALID`, `LOGS_NOT_WRITABLE`
 */
export function logger(name: string): Logger {
  root ??= openLogger(loadConfig());
  return root.child({ name });
}

/**
 * Raises the level of what goes to standard error, for a process that draws its own progress there; the file still gets
 * all that LOG_LEVEL asks for. Call it before the first {@link logger}.
 */
export function quietStandardError(level: LogLevel): void {
  standardErrorLevel = level;
  root = undefined;
}

/** A logger over the settings given: what {@link logger} opens once for the process. */
export function openLogger(
  config: Config,
  standardError: DestinationStream = destination({ dest: 2, sync: true }),
): Logger {
  const options = {
    level: config.logLevel,
    base: null,
    redact: { paths: SECRETS, censor: '[hidden]' },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (config.logLevel === 'silent') return pino(options);
  const streams: StreamEntry<Level>[] = [];
  const onStandardError = standardErrorLevel ?? config.logLevel;
  if (onStandardError !== 'silent') streams.push({ level: onStandardError, stream: standardError });
  if (config.local) streams.push({ level: config.logLevel, stream: logFile(config.logsDir) });
  return pino(options, multistream(streams));
}

const SECRETS = ['password', 'token', 'secret', 'authorization', 'credentials'].flatMap((name) => [name, `*.${name}`]);

function logFile(folder: string): DestinationStream {
  const file = join(folder, `lakelet-${new Date().toISOString().slice(0, 10)}.log`);
  try {
    return destination({ dest: file, mkdir: true, append: true, sync: true });
  } catch (cause) {
    throw new LakeletError(
      'LOGS_NOT_WRITABLE',
      `The log ${printable(file)} can't be written (${printable(messageOf(cause))}): make its folder writable, or set LOG_LEVEL=silent.`,
      { cause },
    );
  }
}
