// What moves the view: buttons, keys, the wheel, fingers; tips; and the words around the chart.

// --- The view: what part of time, kept in the address ------------------------------------------

function show(from, to) {
  const end = endOfAll(), margin = end * 0.03 + 0.5;
  const span = Math.min(Math.max(to - from, Math.min(end, 2)), end + 2 * margin);
  from = Math.max(-margin, Math.min(from, end + margin - span));
  state.from = from;
  state.to = from + span;
  redraw();
}
function showAll() { show(-Infinity, Infinity); }
function zoom(factor, around = (state.from + state.to) / 2) {
  show(around - (around - state.from) * factor, around + (state.to - around) * factor);
}
function pan(part) {
  const by = (state.to - state.from) * part;
  show(state.from + by, state.to + by);
}
function showFinding() {
  const found = operations.filter((o) => evidence.has(o.place) &&
                                         (state.key < 0 || o.key === state.key));
  if (found.length === 0) return showAll();
  const from = Math.min(...found.map(startOf));
  const to = Math.max(...found.map((o) => o.end === Infinity ? startOf(o) : endOf(o)));
  const unplaced = operations[data.unplaced];
  const room = Math.max((to - from) * 0.15, 2);
  // If what shows it is spread over the history, look at where it ends.
  const span = Math.min(to - from + 2 * room, Math.max(endOfAll() / 2, 60));
  const until = Math.max(to + room, unplaced ? endOf(unplaced) + room : 0);
  show(Math.min(until - span, from - room), until);
}

function saveView() {
  const hash = `t=${state.from.toFixed(2)},${state.to.toFixed(2)}&key=${state.key}` +
               `&even=${+state.even}&only=${+state.only}` + (state.at >= 0 ? `&op=${state.at}` : '');
  try { history.replaceState(null, '', '#' + hash); } catch { /* a page without an address */ }
}
function loadView() {
  const hash = new URLSearchParams(location.hash.slice(1));
  const number = (name) => hash.has(name) ? Number(hash.get(name)) : NaN;
  if (number('key') >= -1 && number('key') < data.keys.length) state.key = number('key');
  if (hash.has('even')) state.even = number('even') === 1;
  if (hash.has('only')) state.only = number('only') === 1;
  if (number('op') >= 0 && number('op') < operations.length) state.at = number('op');
  const [from, to] = (hash.get('t') || '').split(',').map(Number);
  return to > from ? [from, to] : null;
}

// --- Tips and focus ----------------------------------------------------------------------------

function showTip(o, bar) {
  const tip = $('tip');
  tip.textContent = describe(o);
  tip.hidden = false;
  const box = bar.querySelector('rect').getBoundingClientRect();
  const chart = $('chart').getBoundingClientRect();
  const left = Math.max(box.left, chart.left);
  tip.style.left = Math.max(4, Math.min(left, innerWidth - tip.offsetWidth - 8)) + 'px';
  const below = box.bottom + 6;
  const fits = below + tip.offsetHeight < innerHeight;
  tip.style.top = (fits ? below : Math.max(4, box.top - tip.offsetHeight - 6)) + 'px';
}
function hideTip() { $('tip').hidden = true; }

function focusOn(o) {
  if (!visible.includes(o)) {
    state.key = o.key;
    state.only = state.only && evidence.has(o.place);
    arrange();
    syncControls();
  }
  state.at = o.place;
  const span = state.to - state.from, start = startOf(o), end = endOf(o);
  if (start < state.from || Math.min(end, endOfAll()) > state.to)
    show(start - span * 0.3, start + span * 0.7);
  draw();
  saveView();
  const bar = $('lanes').querySelector(`[data-place="${o.place}"]`);
  if (!bar) return;
  $('chart').scrollTop = Math.max(0, (o.lane + 1) * LANE + AXIS - $('chart').clientHeight / 2);
  bar.focus({preventScroll: true});
  showTip(o, bar);
}

// The neighbour in the lane, or the nearest operation of the next lane that has one.
function neighbour(o, along, across) {
  if (along !== 0) {
    const list = lanes[o.lane].operations;
    return list[list.indexOf(o) + along];
  }
  for (let lane = o.lane + across; lane >= 0 && lane < lanes.length; lane += across) {
    const list = lanes[lane].operations;
    if (list.length === 0) continue;
    return list.reduce((best, other) => Math.abs(startOf(other) - startOf(o)) <
                                                Math.abs(startOf(best) - startOf(o)) ? other : best);
  }
  return undefined;
}

// --- Controls ----------------------------------------------------------------------------------

function syncControls() {
  $('key').value = state.key;
  $('only').checked = state.only;
  $('scale').textContent = state.even ? 'Scale: event by event' : 'Scale: true time';
}
function setScale(even) {
  // The middle stays where it is.
  const middle = (state.from + state.to) / 2, part = (state.to - state.from) / endOfAll();
  let index = Math.round(middle);
  if (!state.even) index = moments.findIndex((time) => time >= middle);
  index = Math.min(moments.length - 1, Math.max(0, index));
  state.even = even;
  const center = even ? index : moments[index], span = part * endOfAll();
  syncControls();
  show(center - span / 2, center + span / 2);
}

function bindControls() {
  const key = $('key');
  const option = (value, text) => {
    const element = document.createElement('option');
    element.value = value;
    element.textContent = text;
    key.appendChild(element);
  };
  if (data.keys.length > 1) option(-1, 'all keys');
  data.keys.forEach((name, i) => option(i, name));
  key.onchange = () => { state.key = Number(key.value); arrange(); redraw(); };
  $('only').onchange = () => {
    state.only = $('only').checked;
    arrange();
    redraw();
  };
  $('only').parentElement.hidden = evidence.size === 0;
  $('jump').hidden = data.unplaced < 0;
  $('in').onclick = () => zoom(0.6);
  $('out').onclick = () => zoom(1 / 0.6);
  $('all').onclick = showAll;
  $('jump').onclick = () => { showFinding(); focusOn(operations[data.unplaced]); };
  $('scale').onclick = () => setScale(!state.even);
}

function bindKeys() {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest('select, input')) return;
    const bar = event.target.closest('.bar');
    const arrow = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
    if (event.key in arrow && (bar || event.shiftKey)) {
      const [along, across] = arrow[event.key];
      if (event.shiftKey && along !== 0) {
        pan(along * 0.2);
      } else if (bar) {
        const next = neighbour(operations[bar.dataset.place], along, across);
        if (next) focusOn(next);
      }
    } else if (event.key === '+' || event.key === '=') {
      zoom(0.6);
    } else if (event.key === '-') {
      zoom(1 / 0.6);
    } else if (event.key === '0') {
      showAll();
    } else if (event.key === 't') {
      setScale(!state.even);
    } else if (event.key === 'v' && data.unplaced >= 0) {
      $('jump').click();
    } else if (event.key === 'Escape') {
      hideTip();
      return;
    } else {
      return;
    }
    event.preventDefault();
  });
}

function bindPointer() {
  const chart = $('chart');
  const positionAt = (clientX) => {
    const box = chart.getBoundingClientRect();
    return state.from + Math.max(0, clientX - box.left - gutter) / (width - gutter) *
                            (state.to - state.from);
  };
  chart.addEventListener('wheel', (event) => {
    event.preventDefault();
    hideTip();
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      return pan((event.deltaX || event.deltaY) / width);
    }
    zoom(Math.min(2, Math.max(0.5, Math.exp(event.deltaY * 0.0015))), positionAt(event.clientX));
  }, {passive: false});
  const pointers = new Map();
  let moved = false;
  chart.addEventListener('pointerdown', (event) => {
    pointers.set(event.pointerId, {x: event.clientX, y: event.clientY});
    moved = false;
  });
  chart.addEventListener('pointermove', (event) => {
    const last = pointers.get(event.pointerId);
    if (!last) return;
    const dx = event.clientX - last.x, dy = event.clientY - last.y;
    if (!moved && Math.abs(dx) + Math.abs(dy) < 4) return;
    if (!moved) chart.setPointerCapture(event.pointerId);
    moved = true;
    hideTip();
    if (pointers.size === 2) {
      const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
      const before = Math.max(20, Math.abs(last.x - other.x));
      const after = Math.max(20, Math.abs(event.clientX - other.x));
      zoom(before / after, positionAt((event.clientX + other.x) / 2));
    } else {
      pan(-dx / (width - gutter));
      chart.scrollTop -= dy;
    }
    pointers.set(event.pointerId, {x: event.clientX, y: event.clientY});
  });
  const release = (event) => pointers.delete(event.pointerId);
  chart.addEventListener('pointerup', release);
  chart.addEventListener('pointercancel', release);
  const lanesSvg = $('lanes');
  const barOf = (event) => event.target.closest && event.target.closest('.bar');
  lanesSvg.addEventListener('pointerover', (event) => {
    const bar = barOf(event);
    if (bar && pointers.size === 0) showTip(operations[bar.dataset.place], bar);
  });
  lanesSvg.addEventListener('pointerout', (event) => { if (barOf(event)) hideTip(); });
  lanesSvg.addEventListener('click', (event) => {
    const bar = barOf(event);
    if (bar && !moved) focusOn(operations[bar.dataset.place]);
  });
  lanesSvg.addEventListener('focusin', (event) => {
    const bar = barOf(event);
    if (!bar) return;
    state.at = Number(bar.dataset.place);
    showTip(operations[state.at], bar);
  });
  lanesSvg.addEventListener('focusout', hideTip);
}

// --- The words around the chart ----------------------------------------------------------------

function writeWords() {
  document.title = data.verdict + ': ' + data.title;
  $('verdict').textContent = data.verdict[0].toUpperCase() + data.verdict.slice(1) + ':';
  $('verdict').className = data.verdict === 'linearizable' ? 'good'
                           : data.verdict === 'undecided'  ? 'unknown' : 'bad';
  $('title').textContent = data.title;
  $('summary').textContent = data.summary;
  $('note').textContent = data.note;
  $('note').hidden = data.note === '';
  const finding = $('finding');
  finding.hidden = data.unplaced < 0;
  if (data.unplaced >= 0) writeFinding(finding);
  const legend = [['read', '--read', 'read'], ['write', '--write', 'write'],
                  ['append', '--append', 'append'], ['cas', '--cas', 'cas'],
                  ['delete', '--delete', 'delete']];
  const kinds = new Set(operations.map((o) => o.kind));
  for (const [kind, color, text] of legend) {
    if (kinds.has(kind)) addLegend(`background:var(${color})`, text);
  }
  if (operations.some((o) => o.end === Infinity))
    addLegend('border:2px dashed var(--soft)', 'open: may take effect at any time, or never');
  if (data.order_name) addLegend('', '1. 2. 3. numbers: ' + data.order_name);
  if (data.unplaced < 0) return;
  addLegend('background:var(--bad)', 'cannot be placed');
  addLegend('border-color:var(--block)', 'the pair that blocks it');
  addLegend('border-color:var(--ink)', 'also needed to show it');
}

function addLegend(style, text) {
  const item = document.createElement('li');
  if (style) {
    const swatch = document.createElement('i');
    swatch.style.cssText = style;
    item.appendChild(swatch);
  }
  item.appendChild(document.createTextNode(text));
  $('legend').appendChild(item);
}

function writeFinding(section) {
  const add = (parent, name, text) => {
    const element = document.createElement(name);
    if (text) element.textContent = text;
    parent.appendChild(element);
    return element;
  };
  const list = (parent, places) => {
    const items = add(parent, 'ul');
    for (const place of places) {
      const o = operations[place];
      const button = add(add(items, 'li'), 'button',
                         `process ${data.processes[o.process]}, ${o.where}: ${o.call}`);
      button.className = 'operation' + (place === data.unplaced ? ' unplaced'
                                        : blocking.has(place)   ? ' blocking' : '');
      button.onclick = () => focusOn(o);
    }
  };
  add(section, 'h2', 'Cannot be placed');
  list(section, [data.unplaced]);
  if (data.blocking.length === 2) {
    add(section, 'h2', 'In the way: the first had returned when the second was invoked');
    list(section, data.blocking);
  }
  add(section, 'h2', 'Why');
  add(section, 'p', data.reason);
  const more = add(section, 'details');
  add(more, 'summary', `Enough to show it: ${data.evidence.length} operation` +
      (data.evidence.length === 1 ? '' : 's'));
  more.open = data.evidence.length <= 6;
  list(more, data.evidence);
}

bindControls();
bindKeys();
bindPointer();
writeWords();
const view = loadView();
arrange();
syncControls();
width = Math.max(280, $('chart').clientWidth);
if (view) {
  show(...view);
} else if (data.unplaced >= 0) {
  showFinding();
} else {
  showAll();
}
draw();
if (state.at >= 0 && view) focusOn(operations[state.at]);
if (state.at < 0) {
  // One stop for the tab key; the arrow keys do the rest.
  state.at = data.unplaced >= 0 ? data.unplaced : visible.length > 0 ? visible[0].place : -1;
  draw();
}
new ResizeObserver(redraw).observe($('chart'));
