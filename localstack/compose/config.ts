import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LakeletError, printable } from '../../lib/errors.ts';
import { goInstall } from '../go.ts';
import type { StartOptions } from '../server.ts';
import { projectFolder } from '../settings.ts';

const run = promisify(execFile);

/** A service as Compose sees it: defaults, interpolation and short forms worked out. */
export interface ComposeService {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command: readonly string[] | null;
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly { readonly host_ip?: string; readonly published?: string; readonly target: number }[];
  readonly volumes?: readonly { readonly type: string; readonly source: string; readonly target: string }[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

/** A Compose file as Compose sees it. */
export interface ComposeProject {
  readonly name: string;
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: Readonly<Record<string, { readonly name: string }>>;
}

/**
 * Loads a Compose file as `docker compose config` does, with the loader that Compose is built of
 * (`github.com/compose-spec/compose-go`, built once into `.emulators/bin`); no Docker is needed.
 *
 * @param file its path
 * @param env what the file's variables take their values from
 * @throws LakeletError `COMPOSE_INVALID` where Compose would refuse it, and what {@link goInstall} throws
 */
export async function composeConfig(
  file: string,
  env: Readonly<Record<string, string>> = {},
  options: Pick<StartOptions, 'say' | 'signal'> = {},
): Promise<ComposeProject> {
  const { say, signal } = options;
  const root = projectFolder();
  const program = await goInstall({
    source: join(root, 'localstack', 'compose', 'config'),
    name: 'compose-config',
    takes: 'some 10 seconds',
    folder: join(root, '.emulators'),
    ...(say !== undefined && { say }),
    ...(signal !== undefined && { signal }),
  });
  try {
    const { stdout } = await run(program, [file], { env: { ...env } });
    return JSON.parse(stdout);
  } catch (cause) {
    const reason = typeof cause === 'object' && cause !== null && 'stderr' in cause ? String(cause.stderr) : '';
    throw new LakeletError(
      'COMPOSE_INVALID',
      `${printable(file, 200)} is no Compose file that can be used: ${printable(reason.trim() || String(cause), 400)}.`,
      { cause },
    );
  }
}
