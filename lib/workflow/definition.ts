import { readFileSync } from 'node:fs';
import type { StateMachineDefinition } from 'aws-local-stepfunctions';
import { LakeletError, messageOf } from '../errors.ts';
import { shippedFile } from '../files.ts';

/** The Lambda functions that the definition's Tasks run, by the names that it has for them: `${BronzeFunction}` and so on. */
export const FUNCTIONS = ['Bronze', 'Silver', 'Gold', 'RecordFailure'] as const;

/** One of {@link FUNCTIONS}. */
export type FunctionName = (typeof FUNCTIONS)[number];

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

/** The function of every Task of a definition, by the state's name; those inside a Map included. */
export function functionsOfTasks(definition: Pick<StateMachineDefinition, 'States'>): Map<string, FunctionName> {
  const tasks = new Map<string, FunctionName>();
  for (const [name, state] of Object.entries(definition.States)) {
    if (state.Type === 'Map' && state.ItemProcessor !== undefined) {
      for (const inner of functionsOfTasks(state.ItemProcessor)) tasks.set(...inner);
    }
    const found = FUNCTIONS.find((each) => placeholderOf(state) === `\${${each}Function}`);
    if (found !== undefined) tasks.set(name, found);
  }
  return tasks;
}

/** Step Functions' own default, as near as a timer of Node.js can come to it: 24 days. */
const NO_LIMIT_SECONDS = 2_147_483;

/**
 * The definition for the runner in process, which otherwise ends each Task after 60 seconds, as no other runner does.
 * Tasks that have a time limit keep it.
 */
export function withoutTimeLimits<D extends Pick<StateMachineDefinition, 'States'>>(definition: D): D {
  const states = Object.entries(definition.States).map(([name, state]) => {
    if (state.Type === 'Task') return [name, { TimeoutSeconds: NO_LIMIT_SECONDS, ...state }];
    if (state.Type !== 'Map' || state.ItemProcessor === undefined) return [name, state];
    return [name, { ...state, ItemProcessor: withoutTimeLimits(state.ItemProcessor) }];
  });
  return { ...definition, States: Object.fromEntries(states) };
}

function placeholderOf(state: StateMachineDefinition['States'][string]): unknown {
  if (state.Type !== 'Task') return undefined;
  const { Parameters: parameters } = state;
  return typeof parameters === 'object' && parameters !== null && 'FunctionName' in parameters
    ? parameters.FunctionName
    : undefined;
}
