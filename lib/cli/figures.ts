/** A count with thin groups, as people read it: `1,234,567`. */
export function count(value: number | bigint): string {
  return value.toLocaleString('en-US');
}

/** Bytes in the largest binary unit that keeps a figure before the point: `1.5 GiB`. */
export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let unit = 0;
  let rest = value;
  while (rest >= 1024 && unit < units.length - 1) {
    rest /= 1024;
    unit++;
  }
  return `${unit === 0 ? rest : rest.toFixed(1)} ${units[unit] ?? 'B'}`;
}

/** Milliseconds as seconds: `1.23 s`. */
export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`;
}
