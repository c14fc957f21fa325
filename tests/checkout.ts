import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const SHIPPED = [
  'bin',
  'datasets',
  'deploy',
  'functions',
  'lib',
  'localstack',
  'scripts',
  'statemachine',
  'package.json',
  'package-lock.json',
];

const EMULATORS = ['docker-compose.yml'];

/** What a program said and how it ended. */
export interface Ended {
  /** Its exit code; null where a signal ended it. */
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/**
 * A checkout of its own in a temporary folder, so that what a test runs there keeps its lake, logs and recorded trainings
 * away from the project's. The sources are copies, the packages the project's.
 */
export class Checkout {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'lakelet-checkout-')));

  /** @param emulators whether it has what starts the emulators, with what the project has installed for them */
  constructor({ emulators = false }: { emulators?: boolean } = {}) {
    for (const path of [...SHIPPED, 'serverless.yml', ...(emulators ? EMULATORS : [])]) {
      cpSync(join(root, path), join(this.folder, path), { recursive: true });
    }
    this.link('node_modules');
    if (!emulators) return;
    mkdirSync(join(root, '.emulators'), { recursive: true });
    this.link('.emulators');
    if (existsSync(join(root, '.venv'))) this.link('.venv');
  }

  private link(folder: string): void {
    symlinkSync(join(root, folder), join(this.folder, folder), 'junction');
  }

  /** The checkout's lake. */
  get lake(): string {
    return join(this.folder, '.lakelet', 'lake');
  }

  /** Runs `lakelet …` in a process of its own. */
  lakelet(argv: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
    return this.run(process.execPath, [join(this.folder, 'bin', 'lakelet.ts'), ...argv], env);
  }

  /** Runs a line of a shell, as a user types it, for `timeout` milliseconds at most. */
  shell(line: string, env: Record<string, string> = {}, timeout?: number): Promise<Ended> {
    return this.run('sh', ['-c', line], env, timeout);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private run(program: string, args: readonly string[], env: Record<string, string>, timeout = 60_000): Promise<Ended> {
    const child = spawn(program, args, {
      cwd: this.folder,
      env: { ...userEnvironment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout,
    });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, out, err }));
    });
  }
}

/** This process's environment, without what jest and npm put there, with this Node first on PATH. */
function userEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD$|NODE_|LOG_LEVEL$|JEST_)/.test(name));
  const path = [join(process.execPath, '..'), process.env.PATH].join(delimiter);
  return { ...Object.fromEntries(kept), PATH: path };
}
