import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMlflowServer } from '../../../lib/mlflow/index.ts';

describe('starting an MLflow server', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lakelet-mlflow-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('says what to install where there is no Python', async () => {
    const starting = startMlflowServer({ home: join(folder, 'home'), pythons: ['no-such-python'] });
    await expect(starting).rejects.toMatchObject({
      code: 'PYTHON_MISSING',
      message: expect.stringContaining('Python 3.10'),
    });
  });

  it('says where its folder can not be made', async () => {
    await writeFile(join(folder, 'file'), '');
    const starting = startMlflowServer({ home: join(folder, 'file', 'home') });
    await expect(starting).rejects.toMatchObject({ code: 'MLFLOW_START_FAILED' });
  });
});
