// Tests are ES modules, run as TypeScript by @swc/jest; jest needs NODE_OPTIONS=--experimental-vm-modules for that,
// which scripts/test.mjs sets.
process.env.LOG_LEVEL ??= 'silent';
// A setting of the shell must not lead a test to a real lake or server.
for (const name of Object.keys(process.env)) {
  if (/^(LAKE_URI$|MLFLOW_|AWS_)/.test(name)) delete process.env[name];
}

export default {
  roots: ['<rootDir>/tests'],
  testMatch: ['**/*.test.ts'],
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        sourceMaps: 'inline',
        module: { type: 'es6' },
        jsc: {
          target: 'es2023',
          parser: { syntax: 'typescript' },
          transform: { verbatimModuleSyntax: true },
        },
      },
    ],
  },
  maxWorkers: 2,
  testTimeout: 30_000,
  setupFilesAfterEnv: ['<rootDir>/tests/time-limits.ts'],
};
