import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { LakeletError, printable } from '../errors.ts';
import { REPORTS, reportKey } from '../pipeline/report.ts';
import { type ObjectStore, openStore } from '../storage/index.ts';
import { examples, lakeOf, lakeOption, type Outside } from './command.ts';
import { replaceFile } from './result-file.ts';

interface ReportOptions {
  readonly output: string;
  readonly run?: string;
  readonly lake?: string;
}

/** `lakelet report`: takes a run's report out of the lake. */
export function reportCommand(outside: Outside): Command {
  return new Command('report')
    .description('write the report of the newest run, or of one that is named, to an HTML file')
    .option('--output <file>', 'the file; - is standard output', 'report.html')
    .option('--run <id>', 'whose report (default: the one that was written last)')
    .addOption(lakeOption())
    .addHelpText('after', examples('lakelet report', 'lakelet report --run 2026-11-25 --output monday.html'))
    .action(async ({ output, run, lake }: ReportOptions) => {
      const store = openStore(lakeOf(outside, lake));
      const key = run === undefined ? await newest(store) : reportKey(run);
      const page = await pageOf(store, key, run);
      if (output === '-') {
        outside.console.out.write(page);
        return;
      }
      await replaceFile(output, (partial) => writeFile(partial, page));
      outside.console.err.write(`report  ${printable(output)}\n`);
    });
}

async function newest(store: ObjectStore): Promise<string> {
  let latest: { readonly key: string; readonly lastModified: number } | undefined;
  for await (const object of store.list(REPORTS)) {
    if (!object.key.endsWith('/report.html')) continue;
    if (latest === undefined || object.lastModified >= latest.lastModified) latest = object;
  }
  if (latest === undefined) {
    throw new LakeletError(
      'REPORT_NOT_FOUND',
      `The lake ${printable(store.uri, 200)} holds no report: lakelet run writes one.`,
    );
  }
  return latest.key;
}

async function pageOf(store: ObjectStore, key: string, run: string | undefined): Promise<Uint8Array> {
  try {
    return await store.get(key);
  } catch (error) {
    if (!(error instanceof LakeletError && error.code === 'NOT_FOUND')) throw error;
    throw new LakeletError(
      'REPORT_NOT_FOUND',
      `The lake ${printable(store.uri, 200)} holds no report of run ${printable(run ?? key, 100)}: look into ops/runs for the runs that it had, or leave --run out for the newest.`,
      { cause: error },
    );
  }
}
