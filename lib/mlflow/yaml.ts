/** What {@link toYaml} takes: JSON's values. */
export type YamlValue = string | number | boolean | null | readonly YamlValue[] | { readonly [key: string]: YamlValue };

/**
 * The value as block YAML that YAML 1.1 and 1.2 readers read alike: all strings and keys are quoted, so that none can
 * turn into a number, a date or a boolean. (YAML 1.1, sections 5.1, 7.3.1: what is not printable is escaped.)
 */
export function toYaml(value: YamlValue): string {
  return `${lines(value).join('\n')}\n`;
}

function lines(value: YamlValue): string[] {
  if (typeof value !== 'object' || value === null) return [scalar(value)];
  if (isList(value)) {
    if (value.length === 0) return ['[]'];
    return value.flatMap((item) => lines(item).map((line, at) => (at === 0 ? `- ${line}` : `  ${line}`)));
  }
  const entries = Object.entries(value);
  if (entries.length === 0) return ['{}'];
  return entries.flatMap(([key, item]) => {
    const below = lines(item);
    const [first] = below;
    const inline = typeof item !== 'object' || item === null || first === '[]' || first === '{}';
    return inline ? [`${scalar(key)}: ${first}`] : [`${scalar(key)}:`, ...below.map((line) => `  ${line}`)];
  });
}

function scalar(value: string | number | boolean | null): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function isList(value: readonly YamlValue[] | { readonly [key: string]: YamlValue }): value is readonly YamlValue[] {
  return Array.isArray(value);
}
