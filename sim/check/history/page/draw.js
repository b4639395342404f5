'use strict';
// The history comes as data from the checker, and all of it is shown as text, never as markup: keys
// and values can be anything.
const data = JSON.parse(document.getElementById('data').textContent);
const $ = (id) => document.getElementById(id);
const SVG = 'http://www.w3.org/2000/svg';
const LANE = 26, BAR = 20, AXIS = 24, BARS_MAX = 3000;

const operations = data.operations.map((row, place) => {
  const [process, key, start, end, kind, call, where, order] = row;
  return {place, process, key, start, end: end < 0 ? Infinity : end, kind, call, where, order};
});
const evidence = new Set(data.evidence);
const blocking = new Set(data.blocking);
const lastTime = operations.reduce(
    (last, o) => Math.max(last, o.start, o.end === Infinity ? 0 : o.end), 0);

// Where a time is drawn: true to scale, or with one step from event to event.
const moments = [...new Set(operations.flatMap((o) => o.end === Infinity ? [o.start]
                                                                         : [o.start, o.end]))]
    .sort((a, b) => a - b);
const rank = new Map(moments.map((time, i) => [time, i]));
const state = {key: data.focus, only: false, even: !data.times_are_lines || data.note !== '', from: 0, to: 1, at: -1};
const place = (time) => state.even ? rank.get(time) : time;
const endOfAll = () => Math.max(1, state.even ? moments.length - 1 : lastTime);
const startOf = (o) => place(o.start);
// What is open goes on behind everything.
const endOf = (o) => o.end === Infinity ? endOfAll() * 1.03 + 1 : place(o.end);

// --- What is shown, and in which lanes ---------------------------------------------------------

let lanes = [];  // {name, operations}
let visible = [];

function arrange() {
  visible = operations.filter((o) => (state.key < 0 || o.key === state.key) &&
                                     (!state.only || evidence.has(o.place)));
  const processes = new Map();
  for (const o of visible) {
    if (!processes.has(o.process)) processes.set(o.process, []);
    processes.get(o.process).push(o);
  }
  lanes = [];
  // What shows the violation is at the top.
  const tells = (list) => list.some((o) => evidence.has(o.place)) ? 0 : 1;
  const sorted = [...processes].sort((a, b) => tells(a[1]) - tells(b[1]) || a[0] - b[0]);
  for (const [process, list] of sorted) {
    // What a process did at the same time needs lanes of its own.
    const rows = [];
    for (const o of list.sort((a, b) => a.start - b.start || a.end - b.end)) {
      let row = rows.find((r) => r.until < o.start || (r.until === o.start && !data.times_are_lines));
      if (!row) {
        row = {lane: lanes.length, until: 0};
        rows.push(row);
        lanes.push({name: rows.length === 1 ? data.processes[process] : '', operations: []});
      }
      row.until = o.end;
      o.lane = row.lane;
      lanes[row.lane].operations.push(o);
    }
  }
}

// --- Drawing -----------------------------------------------------------------------------------

function node(name, attributes, parent) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (parent) parent.appendChild(element);
  return element;
}

let width = 800, gutter = 60;
const x = (position) => gutter + (position - state.from) / (state.to - state.from) *
                                     (width - gutter);

function classOf(o) {
  let text = 'bar ' + o.kind;
  if (o.end === Infinity) text += ' open';
  if (o.place === data.unplaced) return text + ' unplaced';
  if (blocking.has(o.place)) return text + ' blocking';
  if (evidence.has(o.place)) return text + ' evidence';
  return evidence.size > 0 ? text + ' faint' : text;
}

function labelOf(o, pixels) {
  const text = (o.order ? o.order + '. ' : '') + o.call;
  const letters = Math.floor((pixels - 8) / 6.7);
  if (letters < 2) return '';
  return text.length <= letters ? text : text.slice(0, letters - 1) + '\u2026';
}

function describe(o) {
  let text = o.call + '\nprocess ' + data.processes[o.process] + ', ' + o.where;
  if (o.order) text += '\nnumber ' + o.order + ' of ' + data.order_name;
  if (o.place === data.unplaced) text += '\ncannot be placed: its return leaves no order';
  if (o.place === data.blocking[0]) text += '\nin the way: it had returned before the other began';
  if (o.place === data.blocking[1]) text += '\nbegan after what is in the way had returned';
  return text;
}

function drawBar(o, parent) {
  const left = Math.max(x(startOf(o)), gutter - 20);
  const right = Math.min(x(endOf(o)), width + 20);
  const bar = node('g', {class: classOf(o), tabindex: o.place === state.at ? 0 : -1,
                         role: 'img', 'aria-label': describe(o), 'data-place': o.place}, parent);
  const y = o.lane * LANE + (LANE - BAR) / 2;
  node('rect', {x: left, y, width: Math.max(4, right - left), height: BAR}, bar);
  const label = labelOf(o, Math.min(right, width) - Math.max(left, gutter));
  if (label) node('text', {x: Math.max(left, gutter) + 5, y: y + 14}, bar).textContent = label;
}

function drawLink(parent) {
  if (data.blocking.length !== 2) return;
  const [first, second] = data.blocking.map((place) => operations[place]);
  if (!visible.includes(first) || !visible.includes(second)) return;
  const x1 = x(endOf(first)), x2 = x(startOf(second));
  const y1 = first.lane * LANE + LANE / 2, y2 = second.lane * LANE + LANE / 2;
  const bend = y1 === y2 ? y1 - LANE * 0.7 : (y1 + y2) / 2;
  node('path', {class: 'link', d: `M${x1} ${y1} Q${(x1 + x2) / 2} ${bend} ${x2} ${y2}`}, parent);
  node('circle', {class: 'link-end', cx: x1, cy: y1, r: 4}, parent);
  node('path', {class: 'link-end', d: `M${x2} ${y2} l-9 -5 v10 z`}, parent);
}

function drawAxis(height) {
  const axis = $('axis');
  axis.replaceChildren();
  axis.setAttribute('height', AXIS);
  const count = Math.max(2, Math.floor((width - gutter) / 110));
  const raw = (state.to - state.from) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  let step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= raw);
  if (state.even || data.times_are_lines) step = Math.max(1, Math.round(step));
  const lanesSvg = $('lanes');
  for (let at = Math.ceil(state.from / step) * step; at <= state.to; at += step) {
    const px = x(at);
    if (px < gutter) continue;
    node('line', {class: 'grid', x1: px, x2: px, y1: 0, y2: height}, lanesSvg);
    node('line', {x1: px, x2: px, y1: AXIS - 5, y2: AXIS}, axis);
    const time = state.even ? moments[Math.min(moments.length - 1, Math.max(0, at))] : at;
    const text = String(BigInt(Math.round(time)) + BigInt(data.time_offset));
    if (px + 7 * text.length < width) node('text', {x: px + 3, y: 14}, axis).textContent = text;
  }
  node('text', {x: 4, y: 14}, axis).textContent = data.times_are_lines ? 'line' : 'time';
}

function draw() {
  const chart = $('chart');
  width = Math.max(280, chart.clientWidth);
  const longest = lanes.reduce((most, lane) => Math.max(most, lane.name.length), 4);
  gutter = Math.min(width / 4, 14 + 7 * longest);
  const focused = document.activeElement && document.activeElement.closest('.bar');
  const svg = $('lanes');
  svg.replaceChildren();
  const height = Math.max(1, lanes.length) * LANE;
  svg.setAttribute('height', height);
  lanes.forEach((lane, i) => {
    if (i % 2 === 0) node('rect', {class: 'stripe', x: 0, y: i * LANE, width, height: LANE}, svg);
  });
  drawAxis(height);
  // When more lies in view than can be told apart, what shows the violation comes first.
  let inView = visible.filter((o) => endOf(o) >= state.from && startOf(o) <= state.to);
  if (inView.length > BARS_MAX) {
    const keep = inView.filter((o) => evidence.has(o.place));
    const stride = Math.ceil(inView.length / BARS_MAX);
    inView = inView.filter((o, i) => i % stride === 0 && !evidence.has(o.place)).concat(keep);
  }
  const rest = inView.filter((o) => !evidence.has(o.place));
  const shown = inView.filter((o) => evidence.has(o.place));
  for (const o of rest.concat(shown)) drawBar(o, svg);
  drawLink(svg);
  node('rect', {class: 'gutter', x: 0, y: 0, width: gutter - 4, height}, svg);
  lanes.forEach((lane, i) => {
    const name = node('text', {class: 'lane-name', x: 6, y: i * LANE + 17}, svg);
    name.textContent = lane.name.slice(0, Math.floor((gutter - 8) / 6.7));
  });
  if (focused) {
    const again = svg.querySelector(`[data-place="${state.at}"]`);
    if (again) again.focus({preventScroll: true});
  }
}

let pending = false;
function redraw() {
  if (pending) return;
  pending = true;
  requestAnimationFrame(() => {
    pending = false;
    draw();
    saveView();
  });
}
