// Small drawings that stand beside words. Each state has a shape of its own, not only a colour.

import {h} from './dom.js';

const paths = {
  good:
      'M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13zM11.7 6.2l-4.4 4.9L4.5 8.4l1-1l1.7 1.6l3.4-3.8z',
  news:
      'M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13zM7.2 7h1.6v5H7.2zM8 3.9a1 1 0 1 1 0 2a1 1 0 0 1 0-2z',
  warning: 'M8 1.2L15.4 14.5H.6zM7.2 6v4.2h1.6V6zM8 11.1a1 1 0 1 0 0 2a1 1 0 0 0 0-2z',
  bad:
      'M5.3 1.5h5.4L14.5 5.3v5.4l-3.8 3.8H5.3L1.5 10.7V5.3zM5.8 4.9L4.9 5.8L7.1 8L4.9 10.2l.9.9L8 8.9l2.2 2.2l.9-.9L8.9 8l2.2-2.2l-.9-.9L8 7.1z',
  leader: 'M1.5 4l3.3 3L8 2.2L11.2 7l3.3-3l-1.3 7.2H2.8zM2.8 12.4h10.4V14H2.8z',
  follower:
      'M8 3.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 0 0 0-9zM8 5.2a2.8 2.8 0 1 1 0 5.6a2.8 2.8 0 0 1 0-5.6z',
  candidate:
      'M7.9 2C5.9 2 4.6 3.2 4.5 5.1h1.9c0-.9.6-1.4 1.4-1.4c.9 0 1.5.5 1.5 1.3c0 .7-.3 1-1.2 1.6c-1 .6-1.4 1.3-1.3 2.5v.5h1.8v-.4c0-.7.3-1 1.2-1.6c1-.6 1.5-1.4 1.5-2.6C11.3 3.2 9.9 2 7.9 2zM7.7 10.9a1.2 1.2 0 1 0 0 2.4a1.2 1.2 0 0 0 0-2.4z',
  pin: 'M6 1.5h4v1.3l-.6.6v3l2.1 2.3v1.3H8.7V14L8 15.2L7.3 14v-4H4.5V8.7l2.1-2.3v-3L6 2.8z',
  system: 'M2 2.5h12v8.5H9.5v1.5H11V14H5v-1.5h1.5V11H2zM3.5 4v5.5h9V4z',
  light:
      'M8 4.8a3.2 3.2 0 1 0 0 6.4a3.2 3.2 0 0 0 0-6.4zM7.3 1h1.4v2.4H7.3zM7.3 12.6h1.4V15H7.3zM1 7.3h2.4v1.4H1zM12.6 7.3H15v1.4h-2.4zM2.6 3.5l.9-.9l1.7 1.7l-.9.9zM10.8 11.7l.9-.9l1.7 1.7l-.9.9zM12.5 2.6l.9.9l-1.7 1.7l-.9-.9zM4.3 10.8l.9.9l-1.7 1.7l-.9-.9z',
  dark: 'M6.2 1.6A6.5 6.5 0 1 0 14.4 9.8A5.4 5.4 0 0 1 6.2 1.6z',
};

export function icon(name) {
  return h(
      'svg', {class: `icon icon-${name}`, viewBox: '0 0 16 16', 'aria-hidden': 'true'},
      h('path', {d: paths[name], 'fill-rule': 'evenodd'}));
}

// A word with its shape, in the colour of its tone.
export function badge(tone, text, shape = tone) {
  return h('span', {class: `badge tone-${tone}`}, icon(shape), h('span', {}, text));
}

// The colour of a group, beside its name.
export function swatch(store, gid) {
  const place = gid === 0 ? 'controller' : store.groupIndex(gid) % 8;
  return h('span', {class: `swatch group-${place}`, 'aria-hidden': 'true'});
}
