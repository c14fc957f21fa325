import validate from 'asl-validator';
import { MOST_SHARDS } from '../../../lib/pipeline/events.ts';
import { FUNCTIONS, functionsOfTasks, readDefinition } from '../../../lib/workflow/index.ts';

/** The fields that every runner (in process, LocalStack, AWS) honours, by the kind of state. */
const EVERY = ['Type', 'Comment', 'Next', 'End'];
const HONOURED: Readonly<Record<string, readonly string[]>> = {
  Pass: [...EVERY, 'Parameters', 'Result', 'ResultPath', 'InputPath', 'OutputPath'],
  Task: [
    ...EVERY,
    ...['Resource', 'Parameters', 'ResultSelector', 'ResultPath', 'InputPath', 'OutputPath'],
    ...['Retry', 'Catch', 'TimeoutSeconds'],
  ],
  Choice: ['Type', 'Comment', 'Choices', 'Default'],
  // A distributed map's ProcessorConfig does the same work in child executions on AWS; in process it runs inline.
  Map: [
    ...EVERY,
    ...['ItemsPath', 'ItemSelector', 'ItemProcessor', 'MaxConcurrency', 'ResultPath', 'InputPath', 'OutputPath'],
    ...['ResultSelector', 'Retry', 'Catch'],
  ],
  Fail: ['Type', 'Comment', 'Error', 'Cause', 'ErrorPath', 'CausePath'],
};

interface States {
  readonly States: Readonly<Record<string, { readonly Type: string; readonly ItemProcessor?: States }>>;
}

function unhonoured(definition: States, machine: readonly string[] = ['Comment', 'StartAt', 'States']): string[] {
  const states = Object.entries(definition.States).flatMap(([name, state]) => [
    ...Object.keys(state)
      .filter((field) => !(HONOURED[state.Type] ?? []).includes(field))
      .map((field) => `${name}.${field}`),
    ...(state.ItemProcessor === undefined
      ? []
      : unhonoured(state.ItemProcessor, ['ProcessorConfig', 'StartAt', 'States']).map((field) => `${name}.${field}`)),
  ]);
  return [...Object.keys(definition).filter((field) => !machine.includes(field)), ...states];
}

describe('the state machine', () => {
  it('is valid Amazon States Language, paths included', () => {
    const verdict = validate(readDefinition());
    expect(verdict.errorsText()).toBe('');
    expect(verdict.isValid).toBe(true);
  });

  it('uses no field that one of its runners would ignore', () => {
    expect(unhonoured(readDefinition())).toEqual([]);
  });

  it('would be refused with a query language, an assigned variable or a kind of state that a runner lacks', () => {
    const definition = readDefinition();
    const changed = {
      ...definition,
      QueryLanguage: 'JSONata',
      States: { ...definition.States, New: { Type: 'Wait', Assign: {} } },
    };
    expect(unhonoured(changed)).toEqual(['QueryLanguage', 'New.Type', 'New.Assign']);
    const map = { Type: 'Map', ItemReader: {}, ItemProcessor: { StartAt: 'In', States: { In: { Type: 'Wait' } } } };
    expect(unhonoured({ States: { Each: map } })).toEqual(['Each.ItemReader', 'Each.In.Type']);
  });

  it('names no path that only some runners know', () => {
    const paths = JSON.stringify(readDefinition()).match(/\$\$[\w.]*/g);
    expect(paths).toEqual(['$$.Map.Item.Value']);
  });

  it('runs a known function in every Task, those of the map included', () => {
    const tasks = JSON.stringify(readDefinition()).match(/"Type":"Task"/g);
    const functions = functionsOfTasks(readDefinition());
    expect(functions.size).toBe(tasks?.length);
    expect(functions.get('Shard')).toBe('Bronze');
    expect(new Set(functions.values())).toEqual(new Set(FUNCTIONS));
  });

  it('lists at most the shards that an event may have, fewer being left to bronze itself', () => {
    expect(readDefinition().States.InParts).toMatchObject({
      Choices: [
        {
          And: expect.arrayContaining([{ Variable: '$.event.shards', NumericLessThanEquals: MOST_SHARDS }]),
          Next: 'Parts',
        },
      ],
      Default: 'Bronze',
    });
  });

  it('tries again what can pass, and less often what a process died of, in every Task alike', () => {
    const { States } = readDefinition();
    const { Shards } = States;
    const inner = Shards?.Type === 'Map' ? (Shards.ItemProcessor?.States ?? {}) : {};
    const retries = Object.values({ ...States, ...inner }).flatMap((state) =>
      state.Type === 'Task' ? [state.Retry ?? []] : [],
    );
    expect(retries).toHaveLength(functionsOfTasks(readDefinition()).size);
    for (const retry of retries) {
      expect(retry).toEqual(retries[0]);
      expect(retry.map(({ ErrorEquals, MaxAttempts }) => [ErrorEquals[0], MaxAttempts])).toEqual([
        ['Lakelet.Retryable', 3],
        ['Lambda.Unknown', 2],
      ]);
    }
  });
});
