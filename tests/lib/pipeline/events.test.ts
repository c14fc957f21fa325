import { bronzeEvent, failureEvent, goldEvent, silverEvent } from '../../../lib/pipeline/events.ts';

describe('an event', () => {
  it.each([
    ['bronze', bronzeEvent],
    ['silver', silverEvent],
    ['gold', goldEvent],
  ])("of %s has the contract's defaults and a run id of its own", (_, schema) => {
    const [first, second] = [schema.parse({}), schema.parse({})];
    expect(first).toEqual({
      runId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      rows: 100_000,
      seed: 42,
      shards: 1,
      algorithm: 'forest',
      trees: 100,
      maxDepth: 10,
      split: 'random',
      baseline: false,
    });
    expect(second.runId).not.toBe(first.runId);
  });

  it.each([
    ['an unknown field', { rowz: 1 }],
    ['no rows', { rows: 0 }],
    ['a part of a row', { rows: 1.5 }],
    ['more shards than a map can list', { shards: 1001 }],
    ['rows as text', { rows: '7' }],
    ['a negative seed', { seed: -1 }],
    ['a run id that would lead elsewhere', { runId: '../../x' }],
    ['a run id that is a folder', { runId: '.' }],
    ['a run id that is the folder above', { runId: '..' }],
    ['an empty run id', { runId: '' }],
    ['a run id with a line break', { runId: 'a\n' }],
    ['a list', []],
  ])('of a step is refused with %s', (_, event) => {
    expect(bronzeEvent.safeParse(event).success).toBe(false);
    expect(silverEvent.safeParse(event).success).toBe(false);
    expect(goldEvent.safeParse(event).success).toBe(false);
  });

  it('of bronze may name a shard that there is, and no other step may', () => {
    expect(bronzeEvent.parse({ shards: 3, shard: 2 })).toMatchObject({ shards: 3, shard: 2 });
    expect(bronzeEvent.safeParse({ shards: 3, shard: 3 }).success).toBe(false);
    expect(silverEvent.safeParse({ shards: 3, shard: 2 }).success).toBe(false);
  });

  it('of a failure takes any cause, and no step that there is not', () => {
    const failure = { runId: 'r', step: 'silver', error: 'Lakelet.STORE_FULL', cause: '' };
    expect(failureEvent.parse(failure)).toEqual(failure);
    expect(failureEvent.safeParse({ ...failure, step: 'lead' }).success).toBe(false);
  });
});
