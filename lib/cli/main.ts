import { Command, CommanderError } from 'commander';
import { type Config, loadConfig } from '../config.ts';
import { LakeletError, messageOf, printable } from '../errors.ts';
import type { Outside } from './command.ts';
import { type Console, OutputClosed } from './output.ts';

/** Adds the commands to the program. `exit` sets the code for a command that ran through and still found fault. */
export type AddCommands = (program: Command, outside: Outside, exit: (code: number) => void) => void;

/** What {@link main} needs of the process. */
export interface MainOptions {
  readonly console: Console;
  readonly signal: AbortSignal;
  readonly version: string;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Runs one command line and gives the process's exit code: 0 done, 1 failed, 2 wrong usage. What failed is one line on
 * standard error, `error CODE: message`. Throws nothing.
 *
 * @param argv the arguments after the program's name
 */
export async function main(argv: readonly string[], addCommands: AddCommands, options: MainOptions): Promise<number> {
  const { console } = options;
  let code = 0;
  let config: Config | undefined;
  const outside: Outside = {
    console,
    signal: options.signal,
    config: () => {
      config ??= loadConfig(options.env ?? process.env);
      return config;
    },
  };
  const program = new Command('lakelet')
    .description('A lakehouse on Node alone: Delta tables, a pipeline from bronze to gold, and a model.')
    .version(options.version)
    // So that an option after a command is that command's own: `table show --version 3`.
    .enablePositionalOptions()
    .showSuggestionAfterError();
  addCommands(program, outside, (exitCode) => {
    code = exitCode;
  });
  prepare(program, console);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    return failed(error, options);
  }
}

/** Lets commander throw instead of ending the process, and write where this command line writes; for every subcommand. */
function prepare(command: Command, console: Console): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => console.out.write(text),
    writeErr: (text) => console.err.write(text),
    outputError: (text, write) => {
      const message = text
        .replace(/^error: /, '')
        .replace(/\s+/g, ' ')
        .trim();
      write(`error USAGE: ${printable(message)}; lakelet ${pathOf(command)}--help tells more\n`);
    },
  });
  for (const subcommand of command.commands) prepare(subcommand, console);
}

function pathOf(command: Command): string {
  return command.parent === null ? '' : `${pathOf(command.parent)}${command.name()} `;
}

function failed(error: unknown, { console, signal }: MainOptions): number {
  if (error instanceof OutputClosed) return 0;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const line =
    error instanceof LakeletError
      ? `error ${error.code}: ${printable(error.message, 2000)}`
      : signal.aborted
        ? 'error INTERRUPTED: stopped before the end; what was committed stays, run it again to finish'
        : `error INTERNAL: ${printable(messageOf(error))}; this should not happen, LOG_LEVEL=debug tells more`;
  console.err.write(`${line}\n`);
  return 1;
}
