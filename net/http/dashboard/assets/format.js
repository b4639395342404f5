// Numbers, sizes and times as people read them. What is not known is a dash.

export const dash = '–';

const whole = new Intl.NumberFormat('en', {maximumFractionDigits: 0});

export function count(value) {
  return value === null || value === undefined ? dash : whole.format(value);
}

// At most four digits: 12, 1,234, 12.3 k, 4.56 M.
export function brief(value) {
  if (value === null || value === undefined) return dash;
  if (value < 10 && !Number.isInteger(value)) return value.toFixed(value < 1 ? 2 : 1);
  if (value < 10000) return whole.format(value);
  for (const [unit, size] of [['G', 1e9], ['M', 1e6], ['k', 1e3]]) {
    if (value >= size) return `${(value / size).toPrecision(3)} ${unit}`;
  }
  return whole.format(value);
}

export function bytes(value) {
  if (value === null || value === undefined) return dash;
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let unit = 0;
  let size = value;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    ++unit;
  }
  return `${unit === 0 || size >= 99.95 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}

export function milliseconds(value) {
  if (value === null || value === undefined) return dash;
  if (value >= 1000) return `${(value / 1000).toFixed(2)} s`;
  if (value >= 100) return `${Math.round(value)} ms`;
  return `${value.toFixed(value < 10 ? 2 : 1)} ms`;
}

export function span(ms) {
  if (ms === null || ms === undefined) return dash;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d`;
}

export function ago(ms) {
  return ms < 1500 ? 'now' : `${span(ms)} ago`;
}

const clockFormat =
    new Intl.DateTimeFormat('en-GB', {hour: '2-digit', minute: '2-digit', second: '2-digit'});

export function clock(ms) {
  return clockFormat.format(new Date(ms));
}

export function plural(number, one, many) {
  return `${count(number)} ${number === 1 ? one : many ?? `${one}s`}`;
}
