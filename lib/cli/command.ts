import { Option } from 'commander';
import type { Config } from '../config.ts';
import type { Console, Format } from './output.ts';

/** What every command is handed. */
export interface Outside {
  readonly console: Console;
  /** Ends with Ctrl-C. */
  readonly signal: AbortSignal;
  /** The settings, read when they are first needed: wrong ones must not stand in the way of `--help`. */
  readonly config: () => Config;
}

/** The option `--format`. */
export function formatOption(...choices: readonly (Format | 'parquet')[]): Option {
  return new Option('--format <format>', 'how the result is written').choices([...choices]).default('table');
}

/** The option `--lake`. */
export function lakeOption(): Option {
  return new Option(
    '--lake <uri>',
    'the lake: a folder, file:///… or s3://bucket/prefix (default: LAKE_URI, else .lakelet/lake in the project)',
  );
}

/** The examples that stand at the end of a command's help. */
export function examples(...lines: readonly string[]): string {
  return `\nExample${lines.length > 1 ? 's' : ''}:\n${lines.map((line) => `  ${line}`).join('\n')}\n`;
}

/** The lake that a command means: what `--lake` says, else the configured one. */
export function lakeOf(outside: Outside, lake: string | undefined): string {
  return lake ?? outside.config().lakeUri;
}
