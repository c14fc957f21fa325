import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPython, pythonVenv } from '../../localstack/python.ts';

/** A Python that makes environments of itself in no time, notes what it is asked for, and fails where a file says so. */
const QUICK_PYTHON = `#!/bin/sh
here="$(dirname "$0")"
case "$2" in
  venv) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && echo made >> "$3/../asked" ;;
  pip) echo "pip $*" >> "$here/../../asked"
    sleep 0.2
    if [ -e "$here/../../no-index" ]; then echo 'ERROR: No matching distribution found for thing==1.0' >&2; exit 1; fi ;;
esac
`;

describe('a Python environment of the emulators', () => {
  let folder: string;
  let requirements: string;
  let python: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lakelet-python-'));
    requirements = join(folder, 'requirements.txt');
    python = join(folder, 'quick-python');
    await writeFile(requirements, 'thing==1.0\n');
    await writeFile(python, QUICK_PYTHON);
    await chmod(python, 0o755);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const make = (more: object = {}) =>
    pythonVenv({
      folder: join(folder, 'venv'),
      requirements,
      what: 'Thing 1.0',
      python: { from: [3, 10] },
      pythons: [python],
      ...more,
    });
  const times = async () => (await readFile(join(folder, 'asked'), 'utf8')).match(/^made$/gm)?.length;

  it('is made once, also where two ask for it at the same time, and says so in one line', async () => {
    const said: string[] = [];
    const say = (line: string) => said.push(line);
    const [one, two] = await Promise.all([make({ say }), make({ say })]);
    expect(one).toBe(join(folder, 'venv', 'bin', 'python'));
    expect(two).toBe(one);
    expect(await make({ say, pythons: ['no-such-python'] })).toBe(one);
    expect(await times()).toBe(1);
    expect(await readFile(join(folder, 'asked'), 'utf8')).toContain(`-r ${requirements}\n`);
    expect(said.filter((line) => line.startsWith('installing'))).toEqual([
      `installing Thing 1.0 from PyPI into ${join(folder, 'venv')} (once)`,
    ]);
  });

  it('is made anew where its requirements changed, where it was not finished, and where it does not run', async () => {
    const made = await make();
    await writeFile(requirements, 'thing==1.1\n');
    await make();
    expect(await times()).toBe(2);
    await rm(join(folder, 'venv', 'lakelet-installed'));
    await make();
    expect(await times()).toBe(3);
    await rm(made);
    await make();
    expect(await times()).toBe(4);
  });

  it('says what to look at where pip can not install, and tries again the next time', async () => {
    await writeFile(join(folder, 'no-index'), '');
    await expect(make()).rejects.toMatchObject({
      code: 'PYTHON_INSTALL_FAILED',
      retryable: true,
      message: `Thing 1.0 could not be installed into ${join(folder, 'venv')} (ERROR: No matching distribution found for thing==1.0): check that pip reaches a package index, and try again.`,
    });
    await rm(join(folder, 'no-index'));
    expect(await make()).toBe(join(folder, 'venv', 'bin', 'python'));
  });

  it('is left where its making is cancelled', async () => {
    const signal = AbortSignal.timeout(50);
    await expect(make({ signal })).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(await make()).toBe(join(folder, 'venv', 'bin', 'python'));
  });

  it('says what to install where there is no such Python', async () => {
    const failure = {
      code: 'PYTHON_MISSING',
      message: expect.stringMatching(/Thing 1\.0 needs Python 3\.10 or newer/),
    };
    await expect(make({ pythons: ['no-such-python'] })).rejects.toMatchObject(failure);
    const range = { from: [3, 11], below: [3, 12] } as const;
    await expect(findPython('Thing', range, [])).rejects.toThrow('needs Python 3.11 (older than 3.12)');
  });

  it('needs a real Python of the range', async () => {
    const found = await findPython('Thing', { from: [3, 10] });
    await expect(findPython('Thing', { from: [3, 99] }, [found])).rejects.toMatchObject({ code: 'PYTHON_MISSING' });
    await expect(findPython('Thing', { from: [3, 0], below: [3, 1] }, [found])).rejects.toThrow('PYTHON');
  });

  it('is made by the Python that PYTHON names', async () => {
    const before = process.env.PYTHON;
    process.env.PYTHON = python;
    try {
      expect(await findPython('Thing', { from: [3, 10] })).toBe(python);
    } finally {
      if (before === undefined) delete process.env.PYTHON;
      else process.env.PYTHON = before;
    }
  });
});
