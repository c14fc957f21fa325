import { isAbsolute, join, resolve } from 'node:path';
import { LakeletError, printable } from './errors.ts';
import { checkoutFolder, folderAbove } from './files.ts';

/** The levels that LOG_LEVEL may name, from most to least. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** One of {@link LOG_LEVELS}. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Where and how trainings are logged, by MLflow's own environment variables. */
export interface MlflowConfig {
  /** `MLFLOW_TRACKING_URI` without a slash at its end; absent: runs are recorded beside the lake until they are pushed. */
  readonly trackingUri?: string;
  /** `MLFLOW_EXPERIMENT_NAME`, `lakelet` where it is not set. */
  readonly experimentName: string;
  /** `MLFLOW_TRACKING_USERNAME` */
  readonly username?: string;
  /** `MLFLOW_TRACKING_PASSWORD` */
  readonly password?: string;
  /** `MLFLOW_TRACKING_TOKEN`, sent as a bearer token. */
  readonly token?: string;
}

/** The settings of this process, read once from its environment. */
export interface Config {
  /** The project's root, an absolute path: where `.lakelet` and `logs` lie. */
  readonly root: string;
  /** The lake: an absolute folder, or a URI (`file://…`, `memory://…`, `s3://…`). */
  readonly lakeUri: string;
  readonly mlflow: MlflowConfig;
  readonly logLevel: LogLevel;
  /** True where this process runs on its user's machine; false inside a Lambda, real or emulated. */
  readonly local: boolean;
  /** The folder that logs are written to where the run is local. */
  readonly logsDir: string;
}

/**
 * The settings that an environment gives. An empty variable counts as unset.
 *
 * @throws LakeletError `CONFIG_INVALID`, which names the variable and what it may be
 */
export function loadConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const checkout = checkoutFolder();
  const root = checkout ?? folderAbove('package.json', process.cwd()) ?? process.cwd();
  const local = !isSet(env, 'AWS_LAMBDA_FUNCTION_NAME') || isSet(env, 'IS_LOCAL') || isSet(env, 'IS_OFFLINE');
  return {
    root,
    lakeUri: lakeUri(env, root, checkout ?? process.cwd(), local),
    mlflow: mlflowConfig(env),
    logLevel: logLevel(env),
    local,
    logsDir: join(root, 'logs'),
  };
}

/**
 * The place of what is recorded of trainings while there is no MLflow server: under the project, or with the lake where
 * that is no folder, so that a Lambda, which has no folder that lasts, keeps its records where all others find them.
 */
export function recordsUri({ root, lakeUri }: Pick<Config, 'root' | 'lakeUri'>): string {
  const isFolder = !/^[a-z][a-z0-9+.-]+:\/\//i.test(lakeUri) || /^file:/i.test(lakeUri);
  return isFolder ? join(root, '.lakelet', 'mlflow') : `${lakeUri.replace(/\/+$/, '')}/.lakelet/mlflow`;
}

function lakeUri(env: NodeJS.ProcessEnv, root: string, base: string, local: boolean): string {
  const value = setting(env, 'LAKE_URI');
  if (value !== undefined) {
    const isUri = /^[a-z][a-z0-9+.-]+:\/\//i.test(value);
    return isUri || isAbsolute(value) ? value : resolve(base, value);
  }
  if (!local) {
    throw new LakeletError(
      'CONFIG_INVALID',
      'LAKE_URI is not set, and a Lambda has no folder of its own that lasts: set it to where the lake is, for example s3://bucket/lake.',
    );
  }
  return join(root, '.lakelet', 'lake');
}

function mlflowConfig(env: NodeJS.ProcessEnv): MlflowConfig {
  const trackingUri = trackingUriOf(env);
  const username = setting(env, 'MLFLOW_TRACKING_USERNAME');
  const password = setting(env, 'MLFLOW_TRACKING_PASSWORD');
  const token = setting(env, 'MLFLOW_TRACKING_TOKEN');
  return {
    experimentName: setting(env, 'MLFLOW_EXPERIMENT_NAME') ?? 'lakelet',
    ...(trackingUri !== undefined && { trackingUri }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(token !== undefined && { token }),
  };
}

function trackingUriOf(env: NodeJS.ProcessEnv): string | undefined {
  const value = setting(env, 'MLFLOW_TRACKING_URI');
  if (value === undefined) return undefined;
  const url = URL.parse(value);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new LakeletError(
      'CONFIG_INVALID',
      `MLFLOW_TRACKING_URI is ${printable(value, 100)}: give the http:// or https:// address of an MLflow server, or leave it unset to record runs beside the lake.`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new LakeletError(
      'CONFIG_INVALID',
      'MLFLOW_TRACKING_URI carries a name or a password: put them in MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.',
    );
  }
  return value.replace(/\/+$/, '');
}

function logLevel(env: NodeJS.ProcessEnv): LogLevel {
  const value = setting(env, 'LOG_LEVEL') ?? 'info';
  const level = LOG_LEVELS.find((name) => name === value.toLowerCase());
  if (level === undefined) {
    throw new LakeletError(
      'CONFIG_INVALID',
      `LOG_LEVEL is ${printable(value, 100)}: it may be ${LOG_LEVELS.join(', ')}.`,
    );
  }
  return level;
}

function setting(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === '' ? undefined : value;
}

function isSet(env: NodeJS.ProcessEnv, name: string): boolean {
  return setting(env, name) !== undefined;
}
