// What `lakelet mlflow ui` does, as a process of its own: serve.ts HOME RECORDS PYTHON PORT
import { serveMlflow } from '../../../lib/mlflow/index.ts';
import { openStore } from '../../../lib/storage/index.ts';

const [home = '', records = '', python = '', port = ''] = process.argv.slice(2);
await serveMlflow({
  home,
  records: openStore(records),
  candidates: [python],
  port: Number(port),
  say: (message) => process.stdout.write(`${message}\n`),
});
process.stdout.write('ended\n');
