import { jest } from '@jest/globals';

// Real servers need seconds to start, and many on a busy machine.
if (/[\\/]tests[\\/](localstack|emulator|fault|interop|aws)[\\/]/.test(expect.getState().testPath ?? ''))
  jest.setTimeout(180_000);
