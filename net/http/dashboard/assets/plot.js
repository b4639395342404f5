// Lines over the last minutes, as plain SVG. A plot can be pointed at, or walked with the arrow
// keys: its legend then tells the values of that time.

import {h} from './dom.js';
import {clock, dash} from './format.js';

const windowMs = 300000;
const gapMsMax = 15000;  // samples are at most five seconds apart while a node is well
const height = 170;
const margin = {
  left: 54,
  right: 10,
  top: 10,
  bottom: 22
};
const cursors = new Map();  // by the plot's id: a time

// {id, title, note, lines: [{name, values, tone}], at, now, marks: [{at, text}], format, width,
// empty}
export function plot(how) {
  const begin = how.now - windowMs;
  const first = Math.max(0, how.at.findIndex((at) => at >= begin) - 1);
  const at = how.at.slice(first);
  const lines = how.lines.map((line) => ({...line, values: line.values.slice(first)}));
  const cursor = nearest(at, cursors.get(how.id));
  const shown = cursor ?? at.length - 1;
  const scale = scales(how, lines, begin);
  const known = lines.some((line) => line.values.some((value) => value !== null));
  return h(
      'figure', {class: 'plot card', 'data-key': how.id},
      h('figcaption', {}, h('h3', {}, how.title), h('p', {class: 'note'}, how.note),
        h('p', {class: 'plot-time'}, cursor === null ? 'now' : clock(at[cursor])),
        h('ul', {class: 'legend'},
          lines.map(
              (line) =>
                  h('li', {},
                    h('svg', {class: 'legend-line', viewBox: '0 0 24 8', 'aria-hidden': 'true'},
                      h('line', {class: `line line-${line.tone}`, x1: 1, y1: 4, x2: 23, y2: 4})),
                    h('span', {class: 'legend-name'}, line.name), ' ',
                    h('b', {}, shown < 0 ? dash : how.format(line.values[shown] ?? null)))))),
      h('div', {
        class: 'plot-area',
        tabindex: '0',
        role: 'img',
        'data-plot': how.id,
        'aria-label': describe(how, lines)
      },
        h('svg',
          {class: 'plot-svg', viewBox: `0 0 ${how.width} ${height}`, width: how.width, height},
          grid(how, scale, begin), marks(how, scale, begin),
          lines.map((line, i) => drawLine(line, at, scale, i)),
          cursor === null ? null : drawCursor(at[cursor], lines, cursor, scale)),
        known ? null : h('p', {class: 'plot-empty'}, how.empty)));
}

function describe(how, lines) {
  const last = lines.map((line) => `${line.name} ${how.format(line.values.at(-1) ?? null)}`);
  return `${how.title}, the last five minutes. Now: ${
      last.join(', ')}. Arrow keys walk through it.`;
}

function nearest(at, time) {
  if (time === undefined || at.length === 0) return null;
  let best = 0;
  at.forEach((each, i) => {
    if (Math.abs(each - time) < Math.abs(at[best] - time)) best = i;
  });
  return best;
}

function scales(how, lines, begin) {
  let max = 0;
  for (const line of lines) {
    for (const value of line.values)
      if (value > max) max = value;
  }
  const step = niceStep((max === 0 ? how.atLeast : max) / 3);
  const top = step * Math.max(1, Math.ceil((max === 0 ? how.atLeast : max) / step));
  const inner = how.width - margin.left - margin.right;
  const floor = height - margin.bottom;
  return {
    step,
    top,
    floor,
    x: (at) => margin.left + Math.max(0, (at - begin) / windowMs) * inner,
    y: (value) => floor - (value / top) * (floor - margin.top),
  };
}

function niceStep(rough) {
  const size = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].find((factor) => factor * size >= rough) * size;
}

function grid(how, scale, begin) {
  const parts = [];
  for (let value = 0; value <= scale.top * 1.001; value += scale.step) {
    const y = scale.y(value).toFixed(1);
    parts.push(
        h('line', {class: 'grid', x1: margin.left, x2: how.width - margin.right, y1: y, y2: y}),
        h('text', {class: 'tick', x: margin.left - 8, y, dy: '0.32em', 'text-anchor': 'end'},
          trim(how.format(value))));
  }
  const minutes = windowMs / 60000;
  for (let minute = 0; minute <= minutes; ++minute) {
    const x = scale.x(begin + minute * 60000).toFixed(1);
    if (how.width < 440 && minute % 2 === 1 && minute !== minutes) continue;
    const anchor = minute === minutes ? 'end' : minute === 0 ? 'start' : 'middle';
    parts.push(
        h('text', {class: 'tick', x, y: height - 5, 'text-anchor': anchor},
          minute === minutes ? 'now' : `−${minutes - minute} min`));
  }
  return h('g', {}, parts);
}

// 20.0 k is 20 k.
function trim(text) {
  return text.replace(/\.0+(?= |$)/, '');
}

function marks(how, scale, begin) {
  return h('g', {}, how.marks.filter((mark) => mark.at >= begin).map((mark) => {
    const x = scale.x(mark.at).toFixed(1);
    return h(
        'g', {class: 'mark-event'}, h('title', {}, `${clock(mark.at)} ${mark.text}`),
        h('line', {x1: x, x2: x, y1: margin.top, y2: scale.floor}),
        h('path', {d: `M${x} ${margin.top + 6}l-4 -7h8z`}));
  }));
}

function drawLine(line, at, scale, number) {
  let path = '';
  let area = '';
  const dots = [];
  let run = [];
  const finish = () => {
    if (run.length === 1) {
      dots.push(h('circle', {class: `dot dot-${line.tone}`, cx: run[0][0], cy: run[0][1], r: 1.8}));
    } else if (run.length > 1) {
      const text = run.map(([x, y]) => `${x} ${y}`).join('L');
      path += `M${text}`;
      area += `M${run[0][0]} ${scale.floor}L${text}L${run.at(-1)[0]} ${scale.floor}z`;
    }
    run = [];
  };
  at.forEach((time, i) => {
    if (i > 0 && time - at[i - 1] > gapMsMax) finish();
    const value = line.values[i];
    if (value === null || value === undefined)
      finish();
    else
      run.push([scale.x(time).toFixed(1), scale.y(value).toFixed(1)]);
  });
  finish();
  return h(
      'g', {},
      number === 0 && area !== '' ? h('path', {class: `area area-${line.tone}`, d: area}) : null,
      path === '' ? null : h('path', {class: `line line-${line.tone}`, d: path}), dots);
}

function drawCursor(time, lines, i, scale) {
  const x = scale.x(time).toFixed(1);
  return h(
      'g', {class: 'cursor'}, h('line', {x1: x, x2: x, y1: margin.top, y2: scale.floor}),
      lines.filter((line) => typeof line.values[i] === 'number')
          .map((line) => h('circle', {
                 class: `dot dot-${line.tone}`,
                 cx: x,
                 cy: scale.y(line.values[i]).toFixed(1),
                 r: 3.5
               })));
}

// Pointing and walking, for all plots below `root`. `redraw` is called when a cursor has moved.
export function listenToPlots(root, store, redraw) {
  const set = (id, time) => {
    if (time === null)
      cursors.delete(id);
    else
      cursors.set(id, time);
    redraw();
  };
  root.addEventListener('pointermove', (event) => {
    const area = event.target.closest?.('[data-plot]');
    if (!area || store.state === null) return;
    const box = area.getBoundingClientRect();
    const part =
        (event.clientX - box.left - margin.left) / (box.width - margin.left - margin.right);
    set(area.dataset.plot, store.nodeNow() - windowMs * (1 - Math.min(1, Math.max(0, part))));
  });
  root.addEventListener('pointerout', (event) => {
    const area = event.target.closest?.('[data-plot]');
    if (area && !area.contains(event.relatedTarget)) set(area.dataset.plot, null);
  });
  root.addEventListener('focusout', (event) => {
    if (event.target.dataset?.plot) set(event.target.dataset.plot, null);
  });
  root.addEventListener('keydown', (event) => {
    const id = event.target.dataset?.plot;
    const at = store.state?.metrics.series.at ?? [];
    if (!id || at.length === 0) return;
    if (event.key === 'Escape') return set(id, null);
    const here = nearest(at, cursors.get(id)) ?? at.length - 1;
    const steps =
        {ArrowLeft: -1, ArrowRight: 1, PageUp: -15, PageDown: 15, Home: -at.length, End: at.length};
    if (!(event.key in steps)) return;
    event.preventDefault();
    set(id, at[Math.min(at.length - 1, Math.max(0, here + steps[event.key]))]);
  });
}
