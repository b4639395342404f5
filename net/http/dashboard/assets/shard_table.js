// The shards as a table to sort and filter.

import {h} from './dom.js';
import {bytes, count, dash} from './format.js';
import {badge, icon, swatch} from './icons.js';
import {choice, percent, stateKey, states} from './shard_states.js';

const rowsAtFirst = 20;

const columns = [
  ['shardId', 'Shard', (shard) => shard.shardId],
  ['groupId', 'Group', (shard) => shard.groupId ?? -1],
  ['state', 'State', (shard) => states[stateKey(shard)][1]],
  ['leaderId', 'Leader', (shard) => shard.leaderId ?? -1],
  ['keys', 'Keys', (shard) => shard.keys ?? -1],
  ['bytes', 'Size', (shard) => shard.bytes ?? -1],
];
const numbers = new Set(['keys', 'bytes', 'leaderId']);

function chosenRows(shards) {
  const value = columns.find(([name]) => name === choice.sort)[2];
  const rows = shards.filter(
      (shard) => (choice.group === '' || String(shard.groupId) === choice.group) &&
          (choice.state === '' || stateKey(shard) === choice.state) &&
          (choice.find === '' || String(shard.shardId).includes(choice.find)));
  const order = (a, b) => {
    const [x, y] = [value(a), value(b)];
    return (x < y ? -1 : x > y ? 1 : 0) * (choice.descending ? -1 : 1) || a.shardId - b.shardId;
  };
  return rows.sort(order);
}

export function filters(store) {
  const select = (name, label, options) =>
      h('label', {}, h('span', {}, label),
        h('select', {'data-filter': name}, h('option', {value: ''}, 'All'),
          options.map(([value, text]) => h('option', {value}, text))));
  return h(
      'div', {class: 'filters'},
      select(
          'group', 'Group',
          store.state.topology.shardGroups.map(
              (group) => [group.groupId, `Group ${group.groupId}`])),
      select('state', 'State', Object.entries(states).map(([key, [, name]]) => [key, name])),
      h('label', {}, h('span', {}, 'Number'),
        h('input', {'data-filter': 'find', inputmode: 'numeric', size: 6, type: 'search'})));
}

export function table(store) {
  const rows = chosenRows(store.state.shards);
  const shown = choice.all ? rows : rows.slice(0, rowsAtFirst);
  const sorted = (name) =>
      (choice.sort !== name  ? 'none' :
           choice.descending ? 'descending' :
                               'ascending');
  const cell = (shard, name, label, ...value) =>
      h('td', {'data-label': label, class: numbers.has(name) ? 'number' : null}, value);
  return [
    h('table', {class: 'shards'},
      h('thead', {},
        h('tr', {},
          columns.map(
              ([name, label]) =>
                  h('th', {
                    scope: 'col',
                    'aria-sort': sorted(name),
                    class: numbers.has(name) ? 'number' : null
                  },
                    h('button', {type: 'button', 'data-sort': name}, label))))),
      h('tbody', {},
        shown.map(
            (shard) => h(
                'tr', {'data-key': `row-${shard.shardId}`},
                h('th', {scope: 'row'}, shard.shardId,
                  shard.pinned ?
                      h('span', {class: 'pinned', title: 'pinned here until it is unpinned'},
                        icon('pin'), h('span', {class: 'unseen'}, 'pinned')) :
                      null),
                cell(
                    shard, 'groupId', 'Group',
                    shard.groupId === null ? dash : [swatch(store, shard.groupId), shard.groupId]),
                cell(shard, 'state', 'State', shardState(shard)),
                cell(
                    shard, 'leaderId', 'Leader',
                    shard.leaderId === null ? badge('bad', 'none') : `node ${shard.leaderId}`),
                cell(shard, 'keys', 'Keys', count(shard.keys)),
                cell(shard, 'bytes', 'Size', bytes(shard.bytes)))))),
    rows.length === 0 ? h('p', {class: 'empty'}, 'No shard is like that.') : null,
    rows.length <= rowsAtFirst ?
        null :
        h('button', {class: 'all', type: 'button', 'data-all': true, 'aria-pressed': choice.all},
          choice.all ? `Show the first ${rowsAtFirst}` : `Show all ${rows.length}`)
  ];
}

function shardState(shard) {
  const key = stateKey(shard);
  if (key === 'SERVING' && shard.move === null) return states[key][1];
  const tone = key === 'unknown' || key === 'unowned' ? 'warning' : 'news';
  const part = shard.move === null ? null : percent(shard.move);
  return badge(tone, states[key][1] + (part === null ? '' : `, ${part} %`));
}
