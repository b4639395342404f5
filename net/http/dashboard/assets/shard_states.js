// What a shard can be, in words and patterns, and what the person has chosen on the shards' page.

import {bytes, count} from './format.js';

// Each state has a pattern of its own, for those who see no colours.
export const states = {
  SERVING: ['solid', 'Serving', 'serves clients'],
  SERVING_GC: ['rings', 'Serving, cleaning up', 'serves; its old group still deletes its copy'],
  PULLING: ['dots', 'Arriving', 'comes from another group'],
  FROZEN: ['stripes', 'Frozen', 'waits for its new group to fetch it'],
  DROPPED: ['cross', 'Dropped', 'its copy is being deleted'],
  unknown: ['none', 'Unknown', 'nobody answers for it'],
  unowned: ['none', 'Unowned', 'belongs to no group'],
};

// What the person has chosen here.
export const choice = {
  sort: 'shardId',
  descending: false,
  group: '',
  state: '',
  find: '',
  shard: 0,
  all: false
};

export function stateKey(shard) {
  if (shard.groupId === null) return 'unowned';
  return shard.state in states ? shard.state : 'unknown';
}

// How much has arrived; null: nobody of the source answers.
export function percent(move) {
  return move.progress === null ? null : Math.round(move.progress * 100);
}

export function describe(shard) {
  const owner = shard.groupId === null ? 'no group' : `group ${shard.groupId}`;
  const name = states[stateKey(shard)][1].toLowerCase();
  const way = shard.move === null ?
      '' :
      `, on its way from ${
          shard.move.from === null ? 'a silent group' : `group ${shard.move.from}`}` +
          (percent(shard.move) === null ? '' : `, ${percent(shard.move)} % arrived`);
  return `Shard ${shard.shardId}: ${owner}, ${name}${way}, ${count(shard.keys)} keys, ${
             bytes(shard.bytes)}` +
      (shard.pinned ? ', pinned' : '');
}
