import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { LakeletError, messageOf, printable } from '../lib/errors.ts';
import { checkoutFolder, moduleFolder } from '../lib/files.ts';

/** What starts a server, as `docker-compose.yml` says it. */
export interface ServiceSettings {
  /** The program and its arguments; empty where the image's own are used. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** The checkout that the emulators belong to. */
export function projectFolder(): string {
  const folder = checkoutFolder();
  if (folder !== undefined) return folder;
  throw new LakeletError(
    'NO_CHECKOUT',
    `The emulators belong to a checkout of Lakelet, and ${moduleFolder} is in none: run them in one.`,
  );
}

/**
 * The command and the environment of a service of `docker-compose.yml`, which is the one place that says how the
 * emulators are started, in containers and without.
 *
 * @param service its name: `localstack`, `minio` or `mlflow`
 * @param variables what stands for `${NAME}` in the file; a name that is not given has its default
 * @throws LakeletError `SETTINGS_INVALID`, `NO_CHECKOUT`
 */
export async function serviceSettings(
  service: string,
  variables: Readonly<Record<string, string>>,
): Promise<ServiceSettings> {
  const file = join(projectFolder(), 'docker-compose.yml');
  try {
    const text = await readFile(file, 'utf8');
    return parseService(text, service, variables);
  } catch (cause) {
    throw new LakeletError(
      'SETTINGS_INVALID',
      `${printable(file, 300)} does not say how to start ${service} (${printable(messageOf(cause), 300)}): restore it from the repository.`,
      { cause },
    );
  }
}

/**
 * One service of a Compose file, interpolated; see {@link serviceSettings}.
 *
 * @throws Error where the file or the service is not understood
 */
export function parseService(
  text: string,
  service: string,
  variables: Readonly<Record<string, string>>,
): ServiceSettings {
  const found = asRecord(asRecord(parse(text, { merge: true }), 'the file').services, 'services')[service];
  const { command = [], environment = {} } = asRecord(found, `services.${service}`);
  if (!Array.isArray(command)) throw new Error(`services.${service}.command is not a list`);
  return {
    command: command.map((word) => interpolate(String(word), variables)),
    environment: Object.fromEntries(
      Object.entries(asRecord(environment, `services.${service}.environment`)).map(([name, value]) => [
        name,
        interpolate(String(value ?? ''), variables),
      ]),
    ),
  };
}

/**
 * Compose's interpolation, as far as the file needs it: `${NAME}`, `${NAME-default}`, `${NAME:-default}` (the default
 * also for an empty value), and `$$` for a dollar sign.
 *
 * @see https://docs.docker.com/reference/compose-file/interpolation/
 * @throws Error where a `$` begins anything else, or a name without a default is not given
 */
function interpolate(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(/\$(?:(\$)|\{(\w+)(?:(:?-)([^{}]*))?\}|)/g, (whole, dollar, name, rule, fallback) => {
    if (dollar !== undefined) return '$';
    const value = name === undefined ? undefined : variables[name];
    const given = rule === ':-' ? value || undefined : value;
    if (name === undefined || (given ?? fallback) === undefined) throw new Error(`${whole} in ${text} has no value`);
    return given ?? fallback;
  });
}

function asRecord(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Error(`${what} is not a mapping`);
}
