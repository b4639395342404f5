// The shard map: the colour of a tile is its group, its pattern is its state.

import {h} from './dom.js';
import {count} from './format.js';
import {swatch} from './icons.js';
import {choice, describe, stateKey, states} from './shard_states.js';

const tile = 52;  // of the drawing; the picture is as wide as its card
const gap = 6;

function colour(store, gid) {
  return gid === null ? 'none' : store.groupIndex(gid) % 8;
}

function patterns() {
  const pattern = (name, size, ...shapes) =>
      h('pattern',
        {id: `pattern-${name}`, width: size, height: size, patternUnits: 'userSpaceOnUse'}, shapes);
  return h(
      'defs', {}, pattern('stripes', 8, h('path', {class: 'ink', d: 'M-2 2l4-4M0 8l8-8M6 10l4-4'})),
      pattern('dots', 7, h('circle', {class: 'ink-fill', cx: 3.5, cy: 3.5, r: 1.5})),
      pattern('rings', 12, h('circle', {class: 'ink', cx: 6, cy: 6, r: 3.4})),
      pattern('cross', 10, h('path', {class: 'ink', d: 'M2 2l6 6M8 2l-6 6'})));
}

function shardTile(store, shard, i, columns) {
  const x = (i % columns) * (tile + gap);
  const y = Math.floor(i / columns) * (tile + gap);
  const key = stateKey(shard);
  const pattern = states[key][0];
  const part = shard.move === null ? 1 : shard.move.progress ?? 0;
  const from = shard.move?.from ?? null;
  const chosen = shard.shardId === choice.shard;
  return h(
      'g', {
        class: `tile tile-${key.toLowerCase()}`,
        transform: `translate(${x} ${y})`,
        role: 'option',
        'aria-selected': chosen,
        'aria-label': describe(shard),
        id: `shard-${shard.shardId}`,
        'data-key': `tile-${shard.shardId}`,
        'data-shard': shard.shardId,
        'data-state': shard.state,
        'data-group': shard.groupId,
        'data-moving': shard.move !== null
      },
      h('title', {}, describe(shard)),
      // On its way: the colour of where it was, which that of where it goes fills from below.
      h('rect', {
        class: `tile-ground group-fill-${colour(store, shard.move ? from : shard.groupId)}`,
        width: tile,
        height: tile,
        rx: 7
      }),
      shard.move === null ? null : h('rect', {
        class: `group-fill-${colour(store, shard.groupId)}`,
        width: tile,
        y: tile * (1 - part),
        height: tile * part,
        rx: Math.min(7, (tile * part) / 2)
      }),
      pattern === 'solid' || pattern === 'none' ?
          null :
          h('rect', {fill: `url(#pattern-${pattern})`, width: tile, height: tile, rx: 7}),
      h('rect', {class: 'tile-label-ground', x: 9, y: 15, width: tile - 18, height: 22, rx: 5}),
      h('text',
        {class: 'tile-label', x: tile / 2, y: tile / 2, dy: '0.35em', 'text-anchor': 'middle'},
        shard.shardId),
      shard.pinned ? h('path', {class: 'tile-pin', d: 'M44.2 12v6h-1.4v-6a3.6 3.6 0 1 1 1.4 0z'}) :
                     null,
      h('rect', {class: 'tile-frame', x: 0.5, y: 0.5, width: tile - 1, height: tile - 1, rx: 6.5}));
}

// So many that no row is shorter than the others, if the shards' number has such a divisor.
function columnsFor(shards, width) {
  const least = width < 500 ? 34 : 48;
  const most = Math.max(1, Math.min(shards, Math.floor(width / (least * (1 + gap / tile)))));
  for (let columns = most; columns > most / 2; --columns) {
    if (shards % columns === 0) return columns;
  }
  return most;
}

export function shardMap(store, width) {
  const shards = store.state.shards;
  const columns = columnsFor(shards.length, width);
  const rows = Math.ceil(shards.length / columns);
  const wide = columns * (tile + gap) - gap + 4;
  const high = rows * (tile + gap) - gap + 4;
  const scale = Math.min(1.4, width / wide);
  return h(
      'svg', {
        class: 'map',
        preserveAspectRatio: 'xMinYMin',
        viewBox: `-2 -2 ${wide} ${high}`,
        width: Math.floor(wide * scale),
        height: Math.floor(high * scale),
        tabindex: '0',
        role: 'listbox',
        'aria-label': 'Shard map. Arrow keys walk from shard to shard.',
        'aria-activedescendant': `shard-${choice.shard}`,
        'data-columns': columns
      },
      patterns(), shards.map((shard, i) => shardTile(store, shard, i, columns)));
}

export function legend(store) {
  const used = new Set(store.state.shards.map(stateKey));
  for (const key of ['SERVING', 'PULLING', 'FROZEN', 'SERVING_GC']) used.add(key);
  const sample = (key) => h(
      'svg',
      {class: `legend-tile tile-${key.toLowerCase()}`, viewBox: '0 0 22 22', 'aria-hidden': 'true'},
      h('rect', {class: 'tile-ground legend-ground', x: 1, y: 1, width: 20, height: 20, rx: 4}),
      states[key][0] === 'solid' || states[key][0] === 'none' ?
          null :
          h('rect',
            {fill: `url(#pattern-${states[key][0]})`, x: 1, y: 1, width: 20, height: 20, rx: 4}),
      h('rect', {class: 'tile-frame', x: 1, y: 1, width: 20, height: 20, rx: 4}));
  return h(
      'div', {class: 'map-legend'},
      h('ul', {},
        store.state.topology.shardGroups.map(
            (group) =>
                h('li', {}, swatch(store, group.groupId), `Group ${group.groupId}`,
                  h('span', {class: 'faint'}, count(group.shards.length))))),
      h('ul', {},
        [...used].map((key) => h('li', {title: states[key][2]}, sample(key), states[key][1]))));
}

export function details(shards) {
  const shard = shards.find((each) => each.shardId === choice.shard);
  return h('p', {class: 'details'}, shard ? `${describe(shard)}.` : '');
}
