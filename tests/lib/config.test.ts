import { join, resolve } from 'node:path';
import { loadConfig, recordsUri } from '../../lib/config.ts';

const root = resolve(import.meta.dirname, '..', '..');

describe('loadConfig', () => {
  it('gives a checkout its own root and lake, whatever the working folder', () => {
    const before = process.cwd();
    process.chdir('/');
    try {
      expect(loadConfig({})).toEqual({
        root,
        lakeUri: join(root, '.lakelet', 'lake'),
        mlflow: { experimentName: 'lakelet' },
        logLevel: 'info',
        local: true,
        logsDir: join(root, 'logs'),
      });
    } finally {
      process.chdir(before);
    }
  });

  it('takes an empty variable for one that is not set', () => {
    expect(loadConfig({ LAKE_URI: '', LOG_LEVEL: ' ', MLFLOW_TRACKING_URI: '' })).toEqual(loadConfig({}));
  });

  it.each([
    ['s3://bucket/lake', 's3://bucket/lake'],
    ['file:///tmp/lake', 'file:///tmp/lake'],
    ['/tmp/lake', '/tmp/lake'],
    ['some/lake', join(root, 'some', 'lake')],
  ])('reads LAKE_URI=%s', (value, expected) => {
    expect(loadConfig({ LAKE_URI: value }).lakeUri).toBe(expected);
  });

  it("reads MLflow's variables", () => {
    const env = {
      MLFLOW_TRACKING_URI: 'http://127.0.0.1:5000/',
      MLFLOW_EXPERIMENT_NAME: 'shop',
      MLFLOW_TRACKING_USERNAME: 'u',
      MLFLOW_TRACKING_PASSWORD: 'p',
      MLFLOW_TRACKING_TOKEN: 't',
    };
    expect(loadConfig(env).mlflow).toEqual({
      trackingUri: 'http://127.0.0.1:5000',
      experimentName: 'shop',
      username: 'u',
      password: 'p',
      token: 't',
    });
  });

  it.each([
    ['LOG_LEVEL', 'loud'],
    ['MLFLOW_TRACKING_URI', 'file:///tmp/mlruns'],
    ['MLFLOW_TRACKING_URI', 'localhost:5000'],
    ['MLFLOW_TRACKING_URI', 'not a URL'],
    ['MLFLOW_TRACKING_URI', 'http://user:secret@127.0.0.1:5000'],
  ])('refuses %s=%s by name, in one line', (name, value) => {
    const read = () => loadConfig({ [name]: value });
    expect(read).toThrow(expect.objectContaining({ name: 'LakeletError', code: 'CONFIG_INVALID' }));
    expect(read).toThrow(name);
    expect(read).not.toThrow(/secret|\n/);
  });

  it('asks a Lambda where its lake is, and takes invoke local for the machine of its user', () => {
    const lambda = { AWS_LAMBDA_FUNCTION_NAME: 'bronze' };
    expect(() => loadConfig(lambda)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    expect(loadConfig({ ...lambda, LAKE_URI: 's3://b/l' }).local).toBe(false);
    expect(loadConfig({ ...lambda, IS_LOCAL: 'true' })).toMatchObject({
      local: true,
      lakeUri: join(root, '.lakelet', 'lake'),
    });
  });
});

describe('recordsUri', () => {
  it.each([
    ['/data/lake', join(root, '.lakelet', 'mlflow')],
    ['file:///data/lake', join(root, '.lakelet', 'mlflow')],
    ['s3://bucket', 's3://bucket/.lakelet/mlflow'],
    ['s3://bucket/lake/', 's3://bucket/lake/.lakelet/mlflow'],
  ])('of the lake %s is %s', (lakeUri, expected) => {
    expect(recordsUri({ root, lakeUri })).toBe(expected);
  });
});
