// The page of the shards: the map, what is on the move, and the table.

import {h} from './dom.js';
import {bytes, count} from './format.js';
import {swatch} from './icons.js';
import {details, legend, shardMap} from './shard_map.js';
import {choice, percent} from './shard_states.js';
import {filters, table} from './shard_table.js';

function moves(store) {
  const moving = store.state.shards.filter((shard) => shard.move !== null);
  if (moving.length === 0) return null;
  return h('ul', {class: 'moves'}, moving.map((shard) => {
    const {move} = shard;
    const part = percent(move);
    const arrived = `${bytes(move.bytesArrived)} of ${
        move.bytesTotal === null ? 'unknown size' : bytes(move.bytesTotal)}`;
    return h(
        'li', {class: 'move', 'data-key': `move-${shard.shardId}`, 'data-shard': shard.shardId},
        h('b', {}, `Shard ${shard.shardId}`),
        h('span', {class: 'way'},
          move.from === null ? 'a silent group' : [swatch(store, move.from), `Group ${move.from}`],
          h('span', {class: 'arrow', 'aria-label': 'to'}, '→'), swatch(store, move.to),
          `Group ${move.to}`),
        h('progress', {max: 100, value: part, 'aria-label': `Shard ${shard.shardId} has arrived`}),
        h('span', {class: 'move-note'}, part === null ? arrived : `${part} % · ${arrived}`));
  }));
}

export function shardsPage(store, width) {
  const moving = store.state.metrics.movingShards;
  return [
    h('section', {class: 'card'},
      h('header', {class: 'card-head'}, h('h2', {}, 'Shard map'),
        h('p', {class: 'note'},
          `Configuration ${count(store.state.topology.configCluster.configNum)}`)),
      shardMap(store, width), details(store.state.shards), legend(store)),
    h('section', {class: 'card'},
      h('header', {class: 'card-head'}, h('h2', {}, 'On the move'),
        moving === 0 ? h('p', {class: 'note'}, 'No shard is on its way') : null),
      moves(store)),
    h('section', {class: 'card'},
      h('header', {class: 'card-head'}, h('h2', {}, 'Shards'), filters(store)), table(store)),
  ];
}

// Choosing in the map and the table. `redraw` is called when something else is chosen.
export function listenToShards(root, store, redraw) {
  root.addEventListener('click', (event) => {
    const head = event.target.closest('[data-sort]');
    const chosen = event.target.closest('.tile');
    if (head) {
      choice.descending = choice.sort === head.dataset.sort && !choice.descending;
      choice.sort = head.dataset.sort;
    } else if (event.target.closest('[data-all]')) {
      choice.all = !choice.all;
    } else if (chosen) {
      choice.shard = Number(chosen.dataset.shard);
    } else {
      return;
    }
    redraw();
  });
  root.addEventListener('input', (event) => {
    const name = event.target.dataset.filter;
    if (!name) return;
    choice[name] = event.target.value.trim();
    redraw();
  });
  root.addEventListener('keydown', (event) => {
    const map = event.target.closest('.map');
    if (!map) return;
    const row = Number(map.dataset.columns);
    const last = store.state.shards.length - 1;
    const steps = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -row,
      ArrowDown: row,
      Home: -choice.shard,
      End: last - choice.shard
    };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const next = choice.shard + steps[event.key];
    if (next >= 0 && next <= last) choice.shard = next;
    redraw();
  });
}
