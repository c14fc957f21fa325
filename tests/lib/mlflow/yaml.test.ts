import { toYaml } from '../../../lib/mlflow/yaml.ts';

describe('toYaml', () => {
  it('writes blocks with every text quoted', () => {
    expect(toYaml({ a: { b: ['no', 1, null, { c: true, d: [] }], e: {} } })).toBe(
      '"a":\n  "b":\n    - "no"\n    - 1\n    - null\n    - "c": true\n      "d": []\n  "e": {}\n',
    );
  });

  it('escapes what YAML would fold, refuse or take for a line break', () => {
    expect(toYaml({ x: 'a"\n\u2028\u0085\ufeff\u007f: #' })).toBe('"x": "a\\"\\n\\u2028\\u0085\\ufeff\\u007f: #"\n');
  });
});
