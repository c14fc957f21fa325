import validate from 'asl-validator';
import { readDefinition, TASKS } from '../../../lib/workflow/index.ts';

/** The fields that every runner (in process, LocalStack, AWS) honours, by the kind of state. */
const EVERY = ['Type', 'Comment', 'Next', 'End'];
const HONOURED: Readonly<Record<string, readonly string[]>> = {
  Pass: [...EVERY, 'Parameters', 'Result', 'ResultPath', 'InputPath', 'OutputPath'],
  Task: [
    ...EVERY,
    ...['Resource', 'Parameters', 'ResultSelector', 'ResultPath', 'InputPath', 'OutputPath'],
    ...['Retry', 'Catch', 'TimeoutSeconds'],
  ],
  Fail: ['Type', 'Comment', 'Error', 'Cause', 'ErrorPath', 'CausePath'],
};

function unhonoured(definition: { readonly States: Readonly<Record<string, { readonly Type: string }>> }): string[] {
  const machine = Object.keys(definition).filter((field) => !['Comment', 'StartAt', 'States'].includes(field));
  const states = Object.entries(definition.States).flatMap(([name, state]) =>
    Object.keys(state)
      .filter((field) => !(HONOURED[state.Type] ?? []).includes(field))
      .map((field) => `${name}.${field}`),
  );
  return [...machine, ...states];
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
  });

  it('names no path that only some runners know', () => {
    expect(JSON.stringify(readDefinition())).not.toMatch(/\$\$/);
  });

  it('runs code in the states that have handlers, and in no other', () => {
    const tasks = Object.entries(readDefinition().States)
      .filter(([, state]) => state.Type === 'Task')
      .map(([name]) => name);
    expect(tasks.sort()).toEqual([...TASKS].sort());
  });
});
