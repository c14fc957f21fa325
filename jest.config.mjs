// Tests are ES modules, run as TypeScript by @swc/jest; jest needs NODE_OPTIONS=--experimental-vm-modules for that,
// which scripts/test.mjs sets.
process.env.LOG_LEVEL ??= 'silent';

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
};
