// What serverless.yml takes from here: what depends on the stage, on this machine, or on the caller's environment.
// The stages: `local` is LocalStack, `offline` serverless-offline, any other one AWS.
import { readFileSync } from 'node:fs';
import { architectureOf } from './package-duckdb.js';
import { rolesOf } from './roles.js';

/** MLflow's own variables, beside which server it is. */
const MLFLOW = ['EXPERIMENT_NAME', 'TRACKING_USERNAME', 'TRACKING_PASSWORD', 'TRACKING_TOKEN'].map(
  (name) => `MLFLOW_${name}`,
);

/** Where the emulators put the lake. */
const LOCAL_LAKE = 's3://lakelet/lake';

/** The architecture to package for where no `--param architecture=…` says it: this machine's, whose DuckDB is installed. */
export const architecture = architectureOf(process.arch);

/** The state machine's definition, as a string: a template could not carry the nulls in it. */
export const definition = readFileSync(new URL('../statemachine/lakehouse.asl.json', import.meta.url), 'utf8');

/** Where the packages for LocalStack go. */
export const DEPLOYMENT_BUCKET = 'lakelet-local-packages';

/** Where the packages go; on AWS a bucket of the stack's own. */
export async function deploymentBucket({ resolveVariable }) {
  return isAws(await resolveVariable('sls:stage')) ? { blockPublicAccess: true } : { name: DEPLOYMENT_BUCKET };
}

/** The environment of every function. */
export async function environment({ resolveVariable }) {
  const stage = await resolveVariable('sls:stage');
  return isAws(stage) ? awsEnvironment(resolveVariable) : emulatorEnvironment(process.env, stage);
}

/** The functions' roles, as a fragment of a template. */
export async function roles({ resolveVariable }) {
  const stage = await resolveVariable('sls:stage');
  const aws = isAws(stage);
  const lake = aws ? await awsLake(resolveVariable) : localLake(process.env);
  return { Resources: rolesOf({ stage, ...lake, aws }) };
}

/** Which file of this folder holds what the stage has beside functions, roles and the state machine. */
export async function place({ resolveVariable }) {
  return isAws(await resolveVariable('sls:stage')) ? 'aws' : 'emulators';
}

/** The values of the template's own parameters. */
export async function parameters({ resolveVariable }) {
  if (!isAws(await resolveVariable('sls:stage'))) return [];
  const given = {
    BucketName: 'bucket',
    ScheduleExpression: 'schedule',
    ScheduleInput: 'schedule-input',
    AlarmEmail: 'alarm-email',
  };
  return Promise.all(
    Object.entries(given).map(async ([key, param]) => ({
      ParameterKey: key,
      ParameterValue: await resolveVariable(`param:${param}`),
    })),
  );
}

function isAws(stage) {
  return stage !== 'local' && stage !== 'offline';
}

/** On AWS nothing is taken from the caller's environment, which may be set to emulators: parameters say all. */
async function awsEnvironment(resolveVariable) {
  const { bucket, prefix } = await awsLake(resolveVariable);
  const given = {
    MLFLOW_TRACKING_URI: await resolveVariable('param:mlflow-tracking-uri'),
    MLFLOW_EXPERIMENT_NAME: await resolveVariable('param:mlflow-experiment'),
    MLFLOW_TRACKING_TOKEN: await resolveVariable('param:mlflow-token'),
  };
  return {
    LAKE_URI: { 'Fn::Join': ['', ['s3://', bucket, `/${prefix}`]] },
    LOG_LEVEL: await resolveVariable('param:log-level'),
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== '')),
  };
}

/** The lake's bucket, that of the stack or a given one, and its prefix in it. */
async function awsLake(resolveVariable) {
  return {
    bucket: { 'Fn::If': ['MakesBucket', { Ref: 'LakeBucket' }, { Ref: 'BucketName' }] },
    prefix: await resolveVariable('param:prefix'),
  };
}

function emulatorEnvironment(env, stage) {
  // An S3 server beside LocalStack has keys of its own. (AWS itself refuses these names in a function's settings.)
  const ownKeys = stage === 'local' && Boolean(env.AWS_ENDPOINT_URL_S3);
  const settings = {
    LAKE_URI: env.LAKE_URI,
    LOG_LEVEL: env.LOG_LEVEL,
    MLFLOW_TRACKING_URI: env.MLFLOW_TRACKING_URI,
    ...Object.fromEntries(MLFLOW.map((name) => [name, env[name]])),
    ...(ownKeys && {
      AWS_ENDPOINT_URL_S3: env.AWS_ENDPOINT_URL_S3,
      AWS_ACCESS_KEY_ID: env.AWS_ACCESS_KEY_ID,
      AWS_SECRET_ACCESS_KEY: env.AWS_SECRET_ACCESS_KEY,
    }),
  };
  return {
    ...Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined && value !== '')),
    // In a container LocalStack hands a Lambda the token of a session of its own, which MinIO would refuse.
    ...(ownKeys && { AWS_SESSION_TOKEN: '' }),
  };
}

function localLake(env) {
  const uri = env.LAKE_URI?.startsWith('s3://') ? env.LAKE_URI : LOCAL_LAKE;
  const [bucket, ...prefix] = uri.slice('s3://'.length).replace(/\/+$/, '').split('/');
  return { bucket, prefix: prefix.join('/') };
}
