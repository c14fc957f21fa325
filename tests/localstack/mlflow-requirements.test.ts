import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MLFLOW_VERSION } from '../../lib/mlflow/index.ts';

async function pinsOf(path: string): Promise<string[]> {
  const text = await readFile(join(import.meta.dirname, '..', '..', path), 'utf8');
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('localstack/mlflow-requirements.txt', () => {
  it('pins the MLflow whose models Lakelet writes, and the client of S3', async () => {
    const pins = await pinsOf('localstack/mlflow-requirements.txt');
    expect(pins).toContain(`mlflow==${MLFLOW_VERSION}`);
    expect(pins.filter((pin) => pin.startsWith('boto3=='))).toHaveLength(1);
    expect(pins.filter((pin) => !/^[\w.-]+==[\w.]+( ; python_version (<|>=) '3\.11')?$/.test(pin))).toEqual([]);
  });

  it('agrees in each version with what the tests run', async () => {
    const tests = new Set(await pinsOf('tests/interop/requirements.txt'));
    expect((await pinsOf('localstack/mlflow-requirements.txt')).filter((pin) => !tests.has(pin))).toEqual([]);
  });
});
