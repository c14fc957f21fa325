import { readFileSync } from 'node:fs';
import type { StateMachineDefinition } from 'aws-local-stepfunctions';
import { LakeletError, messageOf } from '../errors.ts';
import { shippedFile } from '../files.ts';

/** The states of the definition that run code. */
export const TASKS = ['Bronze', 'Silver', 'Gold', 'RecordFailure'] as const;

/** One of {@link TASKS}. */
export type TaskName = (typeof TASKS)[number];

/**
 * The one definition that every runner executes, `statemachine/lakehouse.asl.json`, with the names of the Lambda
 * functions still as `${BronzeFunction}` and so on.
 *
 * @throws LakeletError `FILE_MISSING`, `DEFINITION_INVALID`
 */
export function readDefinition(): StateMachineDefinition {
  const file = shippedFile('statemachine/lakehouse.asl.json');
  try {
    const definition: StateMachineDefinition = JSON.parse(readFileSync(file, 'utf8'));
    return definition;
  } catch (cause) {
    throw new LakeletError(
      'DEFINITION_INVALID',
      `${file} can't be read as JSON (${messageOf(cause)}): restore it as it was shipped.`,
      { cause },
    );
  }
}
