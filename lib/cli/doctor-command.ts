import { Command } from 'commander';
import { examples, formatOption, lakeOf, lakeOption, type Outside } from './command.ts';
import { examine } from './doctor.ts';
import { checkLines } from './doctor-check.ts';
import { type Format, writeObject } from './output.ts';

/** `lakelet doctor`; `exit` is told 1 where something is wanting that a run needs. */
export function doctorCommand(outside: Outside, exit: (code: number) => void): Command {
  return new Command('doctor')
    .description('examine this machine and the very lake that is to be used')
    .addOption(lakeOption())
    .addOption(formatOption('table', 'json'))
    .addHelpText(
      'after',
      examples('lakelet doctor', 'lakelet doctor --lake /mnt/data/lake', 'lakelet doctor --lake s3://bucket/lake'),
    )
    .action(async (options: { readonly lake?: string; readonly format: Format }) => {
      const checks = await examine({ ...outside.config(), lakeUri: lakeOf(outside, options.lake) });
      const ok = checks.every((check) => check.status !== 'fail');
      await writeObject(outside.console, options.format, { ok, checks }, () => checkLines(checks));
      if (!ok) exit(1);
    });
}
