import { checkAccounting } from '../../../lib/quality/accounting.ts';

const whole = { in: 10, good: 6, quarantined: 1, duplicates: 2, rejected: 1 };

test('records that are all accounted for pass', () => {
  expect(() => checkAccounting(whole, 'run r1')).not.toThrow();
  expect(() => checkAccounting({ in: 0, good: 0, quarantined: 0, duplicates: 0, rejected: 0 }, 'run r1')).not.toThrow();
});

test.each(['in', 'good', 'quarantined', 'duplicates', 'rejected'] as const)(
  'one record too many in "%s" breaks the accounting',
  (fate) => {
    expect(() => checkAccounting({ ...whole, [fate]: whole[fate] + 1 }, 'run r1')).toThrow(
      expect.objectContaining({ code: 'ACCOUNTING_BROKEN', message: expect.stringContaining('run r1') }),
    );
  },
);

test('counts that add up but are none break the accounting', () => {
  const negative = { ...whole, good: 9, duplicates: -1 };
  expect(() => checkAccounting(negative, 'run r1')).toThrow(expect.objectContaining({ code: 'ACCOUNTING_BROKEN' }));
  const unsafe = { in: 2 ** 60, good: 2 ** 60, quarantined: 0, duplicates: 0, rejected: 0 };
  expect(() => checkAccounting(unsafe, 'run r1')).toThrow(expect.objectContaining({ code: 'ACCOUNTING_BROKEN' }));
});

test('the message holds the name on one line', () => {
  expect(() => checkAccounting({ ...whole, in: 0 }, 'run a\nb')).toThrow(/^run a\\nb: 0 records came in, /);
});
