import { join } from 'node:path';
import { Command } from 'commander';
import { recordsUri } from '../config.ts';
import { LakeletError } from '../errors.ts';
import { interpreterOf, type PushSummary, pushRecords, serveMlflow } from '../mlflow/index.ts';
import { evaluateChampion } from '../pipeline/champion.ts';
import { type ObjectStore, openStore } from '../storage/index.ts';
import { examples, formatOption, lakeOf, lakeOption, type Outside } from './command.ts';
import { type Format, writeObject } from './output.ts';

/** Whose trainings are meant. */
interface LakeOption {
  readonly lake?: string;
}

/** Where the trainings of a lake are recorded while there is no server. */
function recordsOf(outside: Outside, { lake }: LakeOption): ObjectStore {
  return openStore(recordsUri({ root: outside.config().root, lakeUri: lakeOf(outside, lake) }));
}

/** `lakelet mlflow push` and `lakelet mlflow ui`; `exit` is told 1 where a record could not be sent. */
export function mlflowCommand(outside: Outside, exit: (code: number) => void): Command {
  const command = new Command('mlflow').description('bring recorded trainings into an MLflow server, or look at them');
  command
    .command('push')
    .description('send what was recorded here to the server of MLFLOW_TRACKING_URI, once each')
    .addOption(lakeOption())
    .addOption(formatOption('table', 'json'))
    .addHelpText('after', examples('MLFLOW_TRACKING_URI=http://localhost:5000 lakelet mlflow push'))
    .action(async ({ format, ...lake }: LakeOption & { readonly format: Format }) => {
      const config = outside.config();
      const { trackingUri } = config.mlflow;
      if (trackingUri === undefined) {
        throw new LakeletError(
          'CONFIG_INVALID',
          'MLFLOW_TRACKING_URI is not set, so there is no server to push to: set it to http://host:port, or start one with `lakelet mlflow ui`',
        );
      }
      const summary = await pushRecords(recordsOf(outside, lake), {
        ...config.mlflow,
        trackingUri,
        evaluateChampion,
        signal: outside.signal,
      });
      await writeObject(outside.console, format, shown(summary), () => pushLines(summary));
      if (summary.failed.length > 0) exit(1);
    });
  command
    .command('ui')
    .description('start a real MLflow server on this machine with all that was recorded, until Ctrl-C')
    .addOption(lakeOption())
    .addHelpText('after', examples('lakelet mlflow ui'))
    .action((lake: LakeOption) => {
      const config = outside.config();
      return serveMlflow({
        home: join(config.root, '.lakelet', 'mlflow-server'),
        // A checkout whose tests are set up has MLflow already.
        candidates: [interpreterOf(join(config.root, '.venv'))],
        records: recordsOf(outside, lake),
        evaluateChampion,
        say: (message) => outside.console.out.write(`${message}\n`),
        signal: outside.signal,
      });
    });
  return command;
}

function shown({ pushed, already, failed }: PushSummary): unknown {
  return {
    pushed,
    already,
    failed: failed.map(({ key, error }) => ({ key, code: error.code, message: error.message })),
  };
}

function pushLines({ pushed, already, failed }: PushSummary): readonly string[] {
  const were = (n: number): string => `${n} ${n === 1 ? 'training' : 'trainings'}`;
  return [
    `${were(pushed.length)} sent, ${were(already)} there already`,
    ...pushed.map(
      (logged) =>
        `sent    ${logged.uri}, model version ${logged.modelVersion}${logged.champion ? ', the champion' : ''}`,
    ),
    ...failed.map(({ key, error }) => `failed  ${key}: ${error.code}: ${error.message}`),
  ];
}
