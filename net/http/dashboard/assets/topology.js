// Nodes, the controller and the groups: who leads, how far everybody is, and who is missing.

import {h} from './dom.js';
import {ago, bytes, count, dash, plural, span} from './format.js';
import {badge, icon, swatch} from './icons.js';

const roles = {
  Leader: ['leader', 'Leader', 'leader'],
  Follower: ['plain', 'Follower', 'follower'],
  Candidate: ['warning', 'Candidate', 'candidate'],
  PreCandidate: ['warning', 'Pre-candidate', 'candidate'],
  Offline: ['bad', 'Offline', 'bad'],
  Absent: ['warning', 'No replica', 'warning'],
};

function roleBadge(replica) {
  const [tone, name, shape] = roles[replica.role] ?? ['plain', replica.role, 'follower'];
  const learner = replica.role === 'Follower' && !replica.voter;
  return badge(tone, learner ? 'Learner' : name, shape);
}

function nodeState(node) {
  if (!node.online) return badge('bad', 'Offline');
  return node.healthy ? badge('good', 'Healthy') : badge('warning', 'In trouble');
}

function fact(name, value) {
  return h('div', {class: 'fact'}, h('dt', {}, name), h('dd', {}, value));
}

function roundTrip(node) {
  const times = node.links.filter((link) => link.connected && link.roundTripUs > 0)
                    .map((link) => link.roundTripUs);
  if (times.length === 0) return dash;
  return `${(Math.max(...times) / 1000).toFixed(2)} ms`;
}

function nodeCard(store, node) {
  const connected = node.links.filter((link) => link.connected).length;
  const now = store.nodeNow();
  const seen =
      node.lastSeen === null ? 'never seen from here' : `last seen ${ago(now - node.lastSeen)}`;
  return h(
      'article', {
        class: `card node${node.online ? '' : ' is-off'}`,
        'data-key': `node-${node.id}`,
        'data-node': node.id,
        'data-online': node.online
      },
      h('header', {class: 'card-head'}, h('h3', {}, `Node ${node.id}`), nodeState(node)),
      h('p', {class: 'address'}, node.address ?? dash),
      node.problems.length === 0 ?
          null :
          h('ul', {class: 'problems'}, node.problems.map((problem) => h('li', {}, problem)),
            node.online ? null : h('li', {}, seen)),
      !node.online ? null :
                     h('dl', {class: 'facts'}, fact('Storage', bytes(node.storageBytes)),
                       fact('Disk free', bytes(node.diskFreeBytes)),
                       fact('Up for', span(node.uptimeMs)), fact('Replicas', replicas(store, node)),
                       fact('Peers', `${connected} of ${node.links.length}`),
                       fact('Round trip', roundTrip(node))),
      h('p', {class: 'note'},
        [
          node.version === null ? null : `Version ${node.version}`,
          node.httpAddress === null ? null : `HTTP at ${node.httpAddress}`
        ].filter((text) => text !== null)
            .join(' · ')));
}

function replicas(store, node) {
  const {configCluster, shardGroups} = store.state.topology;
  const leads =
      [configCluster, ...shardGroups].filter((group) => group.leaderId === node.id).length;
  return [
    count(node.replicas), leads === 0 ? null : h('span', {class: 'faint'}, ` · leads ${leads}`)
  ];
}

function replicaRow(store, replica, group) {
  const behind =
      replica.commitIndex === null ? null : Math.max(0, furthest(group) - replica.commitIndex);
  const cell = (name, value) => h('td', {'data-label': name, class: 'number'}, value);
  return h(
      'tr', {
        class: `replica role-${replica.role.toLowerCase()}`,
        'data-key': `replica-${replica.id}`,
        'data-role': replica.role
      },
      h('th', {scope: 'row'}, h('span', {class: 'replica-name'}, `Node ${replica.id}`),
        h('span', {class: 'address'}, replica.address ?? '')),
      h('td', {'data-label': 'Role'}, roleBadge(replica)), cell('Term', count(replica.term)),
      cell(
          'Commit',
          [
            count(replica.commitIndex),
            behind ? h('span', {class: 'behind'}, `−${count(behind)}`) : null
          ]),
      cell('Applied', count(replica.lastApplied)), cell('Storage', bytes(replica.storageBytes)),
      h('td', {'data-label': 'Health', class: replica.healthy ? 'well' : 'unwell'},
        replica.healthy ?
            badge('good', 'Well') :
            h('span', {class: 'trouble', title: replica.problems.join(', ')},
              replica.role === 'Offline' ? badge('bad', 'No answer') :
                                           badge('warning', replica.problems[0] ?? 'in trouble'))));
}

function furthest(group) {
  return Math.max(0, ...group.nodes.map((replica) => replica.commitIndex ?? 0));
}

const changes = {
  catching_up: 'Members change: who joins catches up',
  joint: 'Members change: old and new voters decide together',
};

function leaderLine(group) {
  if (group.leaderId === null) return badge('bad', 'No leader');
  return h(
      'span', {class: 'leads'}, icon('leader'),
      `Node ${group.leaderId} leads, term ${count(group.term)}`);
}

function groupCard(store, group, gid, name, notes) {
  const columns = ['Node', 'Role', 'Term', 'Commit', 'Applied', 'Storage', 'Health'];
  return h(
      'article', {
        class: `card group state-${group.state}`,
        'data-key': `group-${gid}`,
        'data-group': gid,
        'data-state': group.state
      },
      h('header', {class: 'card-head'}, h('h3', {}, swatch(store, gid), name), leaderLine(group)),
      h('p', {class: 'note'}, notes.join(' · ')),
      group.memberChange in changes ?
          h('p', {class: 'change'}, badge('news', changes[group.memberChange])) :
          null,
      h('table', {class: 'replicas'},
        h('thead', {},
          h('tr', {},
            columns.map(
                (column, i) =>
                    h('th', {scope: 'col', class: i >= 2 && i <= 5 ? 'number' : null}, column)))),
        h('tbody', {}, group.nodes.map((replica) => replicaRow(store, replica, group)))));
}

export function topologyPage(store) {
  const topology = store.state.topology;
  const controller = topology.configCluster;
  return [
    h('h2', {class: 'page-head'}, 'Nodes'),
    h('div', {class: 'nodes'}, topology.nodes.map((node) => nodeCard(store, node))),
    h('h2', {class: 'page-head'}, 'Controller and groups'),
    groupCard(
        store, controller, 0, 'Controller',
        [`Configuration ${count(controller.configNum)}`, plural(topology.totalShards, 'shard')]),
    topology.shardGroups.map(
        (group) => groupCard(
            store, group, group.groupId, `Group ${group.groupId}`,
            [
              group.joined ? plural(group.shards.length, 'shard') : 'not part of the configuration',
              `${count(group.keys)} keys`, `${bytes(group.dataBytes)} of data`,
              `configuration ${count(group.configNum)}`
            ])),
  ];
}
