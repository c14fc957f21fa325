import { asLakeletError, LakeletError, printable } from '../errors.ts';
import { openStore } from '../storage/index.ts';
import { transferError } from './client.ts';
import { callServer, type MlflowServer } from './http.ts';

/**
 * Sends a file to the server's artifact store: through the server (`mlflow-artifacts:`), or straight to S3 by the AWS
 * SDK's own settings where the server leaves that to its clients (`s3:`).
 *
 * @throws LakeletError as calls of the server do; `MLFLOW_ARTIFACTS` where the store can't be written
 */
export async function uploadArtifact(
  server: MlflowServer,
  folderUri: string,
  path: string,
  bytes: Uint8Array,
): Promise<void> {
  if (isS3(folderUri)) {
    return direct(server, folderUri, () => openStore(folderUri).put(path, bytes));
  }
  const at = artifactPath(folderUri, path);
  if (at === undefined) {
    throw new LakeletError(
      'MLFLOW_ARTIFACTS',
      `The MLflow server ${server.trackingUri} keeps artifacts at ${printable(folderUri, 200)}, where clients must reach them themselves, which is done for s3:// alone: start it with --serve-artifacts and --artifacts-destination, and use an experiment made since.`,
    );
  }
  const { status, body } = await callServer(server, { method: 'PUT', path: at, bytes, repeatable: true });
  if (status < 200 || status > 299) throw transferError(server, `the upload of ${path}`, status, body);
}

/**
 * Fetches a file from the server's artifact store; undefined where it is not there, or lies where neither the server nor
 * S3 hands it out.
 *
 * @param limit most bytes that it may have
 * @throws LakeletError as {@link uploadArtifact}; `MLFLOW_FAILED` for a file that is larger
 */
export async function downloadArtifact(
  server: MlflowServer,
  folderUri: string,
  path: string,
  limit: number,
): Promise<Uint8Array | undefined> {
  if (isS3(folderUri)) return direct(server, folderUri, () => fromS3(folderUri, path, limit));
  const at = artifactPath(folderUri, path);
  if (at === undefined) return undefined;
  const { status, body } = await callServer(server, { method: 'GET', path: at, repeatable: true, limit });
  if (status === 404) return undefined;
  if (status < 200 || status > 299) throw transferError(server, `the download of ${path}`, status, body);
  return body;
}

async function fromS3(folderUri: string, path: string, limit: number): Promise<Uint8Array | undefined> {
  const store = openStore(folderUri);
  const found = await store.head(path);
  if (found === undefined) return undefined;
  if (found.size <= limit) return store.get(path);
  throw new LakeletError(
    'MLFLOW_FAILED',
    `${printable(`${folderUri}/${path}`, 300)} has more than ${limit} bytes: it was not read.`,
  );
}

/** Does it on S3, whose errors are told as those of the server's artifacts. */
async function direct<T>(server: MlflowServer, folderUri: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const error = asLakeletError(cause, 'MLFLOW_ARTIFACTS', 'S3 failed');
    if (error.code === 'MLFLOW_FAILED') throw error;
    throw new LakeletError(
      'MLFLOW_ARTIFACTS',
      `The MLflow server ${server.trackingUri} has its clients reach artifacts at ${printable(folderUri, 200)} themselves, which failed: ${error.message}. Set AWS_ENDPOINT_URL_S3, AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY as that bucket needs them, or start the server with --serve-artifacts.`,
      { retryable: error.retryable, cause },
    );
  }
}

function isS3(uri: string): boolean {
  return /^s3:\/\//i.test(uri);
}

/** `mlflow-artifacts:/1/models/m-x/artifacts` and a file's path as the path of the server's artifact call. */
function artifactPath(folderUri: string, path: string): string | undefined {
  const match = /^mlflow-artifacts:(?:\/\/[^/]*)?\/(?<folder>.*)$/.exec(folderUri);
  const folder = match?.groups?.folder;
  if (folder === undefined) return undefined;
  const parts = [...folder.split('/'), ...path.split('/')].filter((part) => part !== '');
  if (parts.includes('..') || parts.includes('.')) return undefined;
  return `api/2.0/mlflow-artifacts/artifacts/${parts.map(encodeURIComponent).join('/')}`;
}
