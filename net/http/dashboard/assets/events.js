// What has happened, newest first.

import {h} from './dom.js';
import {ago, clock} from './format.js';
import {icon} from './icons.js';

const toneNames = {
  good: 'Good',
  news: 'News',
  warning: 'Warning',
  bad: 'Trouble'
};

export function eventList(store, max) {
  const events = store.state.events.slice(-max).reverse();
  if (events.length === 0) {
    return h('p', {class: 'empty'}, 'Nothing has happened since this node began to look.');
  }
  const now = store.nodeNow();
  return h(
      'ol', {class: 'events', reversed: true},
      events.map(
          (event) => h(
              'li', {class: `event tone-${event.tone}`, 'data-key': `event-${event.id}`},
              icon(event.tone), h('span', {class: 'unseen'}, `${toneNames[event.tone]}: `),
              h('span', {class: 'event-text'}, event.text),
              h('time',
                {datetime: new Date(event.at).toISOString(), title: new Date(event.at).toString()},
                clock(event.at),
                h('span', {class: 'event-ago'}, ago(Math.max(0, now - event.at)))))));
}

export function eventsPage(store) {
  return h(
      'section', {class: 'card'},
      h('header', {class: 'card-head'}, h('h2', {}, 'Events'),
        h('p', {class: 'note'},
          `As node ${store.state.topology.answeredBy} saw them: the last 200.`)),
      eventList(store, 200));
}
