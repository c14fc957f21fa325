/**
 * What the commands that stay until they are told to end have in common: their options, their end and their exit code.
 *
 * @module
 */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { LakeletError, messageOf, printable } from '../lib/errors.ts';

/** A wrong option or setting: exit code 2. */
export class UsageError extends Error {}

/** A command that stays. */
export interface StayingCommand<O> {
  /** What a user types, for example `npm run emulators`. */
  readonly name: string;
  /** What `--help` prints. */
  readonly usage: string;
  /** The options; undefined where help was asked for. Throws {@link UsageError}. */
  readonly read: (args: string[]) => O | undefined;
  /** Serves until `signal` says that it is enough. */
  readonly serve: (options: O, signal: AbortSignal) => Promise<void>;
}

/** One line to standard error. */
export function say(line: string): void {
  process.stderr.write(`${printable(line, 1000)}\n`);
}

/** The values of the options, as `parseArgs` gives them. Throws {@link UsageError}. */
export function optionsOf<const O extends NonNullable<ParseArgsConfig['options']>>(args: string[], options: O) {
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new UsageError(messageOf(error).split('\n')[0]);
  }
}

/** Settled when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }));
}

/** Runs the command and ends the process: 0 when it was told to end, 1 where it failed, 2 for wrong usage. */
export async function runStaying<O>(command: StayingCommand<O>): Promise<never> {
  process.exit(await exitCodeOf(command, process.argv.slice(2), toldToEnd()));
}

async function exitCodeOf<O>(command: StayingCommand<O>, args: string[], signal: AbortSignal): Promise<number> {
  try {
    const options = command.read(args);
    if (options === undefined) process.stdout.write(command.usage);
    else await command.serve(options, signal);
    return 0;
  } catch (error) {
    const usage = error instanceof UsageError;
    const code = error instanceof LakeletError ? error.code : usage ? 'USAGE' : 'INTERNAL';
    if (signal.aborted && code === 'CANCELLED') return 0;
    say(`error ${code}: ${messageOf(error)}${usage ? `; ${command.name} -- --help tells more` : ''}`);
    return usage ? 2 : 1;
  }
}

/** Ends all when the terminal asks for it, or closes, or when the script that started this is gone. */
function toldToEnd(): AbortSignal {
  const told = new AbortController();
  const end = () => told.abort();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  process.on('disconnect', end);
  process.stdout.on('error', end);
  process.stderr.on('error', end);
  return told.signal;
}
