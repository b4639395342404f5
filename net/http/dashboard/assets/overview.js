// The cluster at a glance: whether all is well, the sums, the last minutes.

import {h} from './dom.js';
import {eventList} from './events.js';
import {brief, bytes, count, milliseconds, plural} from './format.js';
import {badge, icon, swatch} from './icons.js';
import {plot} from './plot.js';

// What is wrong, in order of weight. Nothing: all is well.
export function troubles(state) {
  const found = state.topology.nodes.filter((node) => !node.online)
                    .map((node) => ['bad', `Node ${node.id} is offline`]);
  const groups = [{groupId: 0, ...state.topology.configCluster}, ...state.topology.shardGroups];
  for (const group of groups) {
    const name = group.groupId === 0 ? 'The controller' : `Group ${group.groupId}`;
    if (group.leaderId === null) found.push(['bad', `${name} has no leader`]);
  }
  for (const node of state.topology.nodes) {
    // That a group has no leader was said already.
    const more = node.problems.filter((problem) => !problem.endsWith('has no leader'));
    if (node.online && more.length > 0)
      found.push(['warning', `Node ${node.id}: ${more.join(', ')}`]);
  }
  return found;
}

function verdict(state) {
  const found = troubles(state);
  const tone = found.some(([each]) => each === 'bad') ? 'bad' :
      found.length > 0                                ? 'warning' :
                                                        'good';
  const nodes = state.metrics.totalNodes;
  const well = `All is well: ${plural(nodes, 'node')}, and every group has a leader`;
  return h(
      'section', {class: `verdict tone-${tone}`, 'data-tone': tone}, icon(tone),
      h('h2', {}, found.length === 0 ? well : found[0][1]),
      found.length > 1 ? h('p', {}, found.slice(1, 6).map(([, text]) => text).join(' · ')) : null);
}

function card(name, value, note, more) {
  return h(
      'section', {class: 'card stat', 'data-key': `stat-${name}`}, h('h3', {}, name),
      h('p', {class: 'stat-value'}, value), h('p', {class: 'note'}, note), more);
}

// One cell for each node: filled where it is healthy.
function nodeCells(state) {
  const nodes = state.topology.nodes;
  if (nodes.length > 24) return null;
  return h(
      'svg', {
        class: 'cells',
        viewBox: `0 0 ${nodes.length * 12} 8`,
        width: nodes.length * 12,
        height: 8,
        'aria-hidden': 'true'
      },
      nodes.map((node, i) => h('rect', {
                  x: i * 12,
                  y: 0.5,
                  width: 9,
                  height: 7,
                  rx: 2,
                  class: node.healthy ? 'cell-good' :
                      node.online     ? 'cell-warning' :
                                        'cell-bad'
                })));
}

function cards(state) {
  const metrics = state.metrics;
  const series = metrics.series;
  const minutes = Math.max(1, Math.round(((series.at.at(-1) ?? 0) - (series.at[0] ?? 0)) / 60000));
  return h(
      'div', {class: 'stats'},
      card(
          'Nodes healthy', `${count(metrics.healthyNodes)} / ${count(metrics.totalNodes)}`,
          metrics.onlineNodes === metrics.totalNodes ?
              'all online' :
              `${count(metrics.totalNodes - metrics.onlineNodes)} offline`,
          nodeCells(state)),
      card('Keys', brief(metrics.totalKeys), `${bytes(metrics.totalBytes)} of keys and values`),
      card('Storage', bytes(metrics.totalStorage), 'on the disks of all nodes that answer'),
      card(
          'Shards', count(metrics.totalShards),
          metrics.movingShards === 0 ? 'none on the move' :
                                       `${count(metrics.movingShards)} on the move`),
      card(
          'Load', metrics.averageLoad === null ? '–' : brief(metrics.averageLoad),
          `shards per group, of ${plural(metrics.totalGroups, 'group')}`),
      card(
          'Leader changes', count(metrics.leaderChanges),
          minutes === 1 ? 'in the last minute' : `in the last ${minutes} minutes`));
}

function plots(store, width) {
  const {series} = store.state.metrics;
  const node = store.state.topology.answeredBy;
  const marked = new Set(['leader_elected', 'leader_lost', 'node_offline', 'node_online']);
  const common = {
    at: series.at,
    now: store.nodeNow(),
    width,
    marks: store.state.events.filter((event) => marked.has(event.kind))
  };
  return h(
      'div', {class: 'plots'}, plot({
        ...common,
        id: 'rates',
        title: 'Throughput',
        note: 'of the cluster, per second',
        format: brief,
        atLeast: 10,
        empty: 'No sample yet',
        lines: [
          {name: 'Writes committed', values: series.writesPerSecond, tone: 1},
          {name: 'Linearizable reads', values: series.readsPerSecond, tone: 2}
        ]
      }),
      plot({
        ...common,
        id: 'latency',
        title: 'Latency',
        note: `of clients' calls at node ${node}`,
        format: milliseconds,
        atLeast: 1,
        empty: `No client has called node ${node} in these minutes`,
        lines: [
          {name: 'Write p50', values: series.writeP50Ms, tone: 1},
          {name: 'Write p99', values: series.writeP99Ms, tone: '1b'},
          {name: 'Read p50', values: series.readP50Ms, tone: 2},
          {name: 'Read p99', values: series.readP99Ms, tone: '2b'}
        ]
      }),
      plot({
        ...common,
        id: 'storage',
        title: 'Storage',
        note: 'on the disks of all nodes that answer',
        format: bytes,
        atLeast: 1e6,
        empty: 'No sample yet',
        marks: [],
        lines: [{name: 'Data directories', values: series.storageBytes, tone: 3}]
      }),
      groupBars(store));
}

function groupBars(store) {
  const groups = store.state.topology.shardGroups;
  const most = Math.max(1, ...groups.map((group) => group.shards.length));
  return h(
      'section', {class: 'card', 'data-key': 'groups'},
      h('header', {class: 'card-head'}, h('h3', {}, 'Groups'),
        h('a', {href: '#topology', class: 'more'}, 'Topology')),
      h('ul', {class: 'bars'},
        groups.map(
            (group) =>
                h('li', {'data-key': `bar-${group.groupId}`},
                  h('span', {class: 'bar-name'}, swatch(store, group.groupId),
                    `Group ${group.groupId}`),
                  group.leaderId === null ?
                      badge('bad', 'No leader') :
                      h('span', {class: 'leads'}, icon('leader'), `node ${group.leaderId}`),
                  h('span', {class: 'bar-value'},
                    `${plural(group.shards.length, 'shard')}, ${brief(group.keys)} keys`),
                  h('svg', {class: 'bar', width: '100%', height: 6, 'aria-hidden': 'true'},
                    h('rect', {class: 'bar-rest', width: '100%', height: 6, rx: 3}), h('rect', {
                      class: `bar-part group-fill-${store.groupIndex(group.groupId) % 8}`,
                      width: `${(100 * group.shards.length) / most}%`,
                      height: 6,
                      rx: 3
                    }))))));
}

export function overviewPage(store, width) {
  const state = store.state;
  return [
    verdict(state),
    cards(state),
    plots(store, width),
    h('section', {class: 'card'},
      h('header', {class: 'card-head'}, h('h3', {}, 'Recent events'),
        h('a', {href: '#events', class: 'more'}, 'All events')),
      eventList(store, 8)),
  ];
}
