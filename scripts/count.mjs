// The last line of .ci/run: how many tests passed and failed, from jest's report. A test file that could not be run
// counts as one failure, and so does a report that is not there.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup.mjs';

function count() {
  try {
    const report = JSON.parse(readFileSync(join(root, 'logs', 'tests.json'), 'utf8'));
    return { passed: report.numPassedTests, failed: report.numFailedTests + report.numRuntimeErrorTestSuites };
  } catch (error) {
    console.error(`no report of the tests: ${error.message}`);
    return { passed: 0, failed: 1 };
  }
}

const { passed, failed } = count();
console.log(`${passed} passed, ${failed} failed`);
if (failed > 0 || passed === 0) process.exitCode = 1;
