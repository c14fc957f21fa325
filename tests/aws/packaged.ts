import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Checkout, type Ended } from '../checkout.ts';

/** A CloudFormation template, as far as the tests look into it. */
export interface Template {
  readonly Parameters?: Readonly<Record<string, unknown>>;
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs: Readonly<Record<string, unknown>>;
}

/** A resource of a template. */
export interface Resource {
  readonly Type: string;
  readonly Condition?: string;
  readonly DeletionPolicy?: string;
  // biome-ignore lint/suspicious/noExplicitAny: each type of resource has properties of its own, and the tests know which
  readonly Properties: any;
}

/** A checkout of its own that was packaged. */
export class Packaged {
  readonly checkout = new Checkout();

  /** The zip of the functions. */
  get zip(): string {
    return join(this.checkout.folder, '.serverless', 'lakelet.zip');
  }

  /** The template's path. */
  get templateFile(): string {
    return join(this.checkout.folder, '.serverless', 'cloudformation-template-update-stack.json');
  }

  get template(): Template {
    return JSON.parse(readFileSync(this.templateFile, 'utf8'));
  }

  /** Runs `serverless package` with these arguments, as a user who has set nothing. */
  async package(...args: string[]): Promise<Ended> {
    const serverless = join(this.checkout.folder, 'node_modules', 'serverless', 'bin', 'serverless.js');
    const child = spawn(process.execPath, [serverless, 'package', ...args], {
      cwd: this.checkout.folder,
      env: { PATH: process.env.PATH, HOME: this.checkout.folder },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 120_000,
      killSignal: 'SIGKILL',
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    return { code, out, err };
  }

  remove(): void {
    this.checkout.remove();
  }
}
