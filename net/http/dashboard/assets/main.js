// Puts the pages together: which one is shown, when it is drawn anew, and how fresh its data are.

import {h, show} from './dom.js';
import {eventsPage} from './events.js';
import {span} from './format.js';
import {icon} from './icons.js';
import {overviewPage, troubles} from './overview.js';
import {listenToPlots} from './plot.js';
import {listenToShards, shardsPage} from './shards.js';
import {Store} from './store.js';
import {openStream} from './stream.js';
import {topologyPage} from './topology.js';

const staleMs = 3500;
const pages = {
  overview: overviewPage,
  topology: topologyPage,
  shards: shardsPage,
  events: eventsPage
};
const store = new Store();
const element = (id) => document.getElementById(id);
const tabs = [...document.querySelectorAll('[role=tab]')];

function currentPage() {
  const name = location.hash.slice(1);
  return name in pages ? name : 'overview';
}

// The room that a card has for a picture, without its padding.
function innerWidth(page) {
  const room = element('content').clientWidth -
      2 * parseFloat(getComputedStyle(element('content')).paddingLeft);
  const isPair = page === 'overview' && matchMedia('(min-width: 980px)').matches;
  return Math.floor((isPair ? (room - 16) / 2 : room) - 34);
}

function draw() {
  if (store.state === null) return;
  const page = currentPage();
  show(element(`page-${page}`), pages[page](store, innerWidth(page)));
  const topology = store.state.topology;
  show(
      element('where'), h('b', {}, topology.cluster),
      h('span', {}, ` seen by node ${topology.answeredBy}`));
  const wrong = troubles(store.state);
  document.title =
      wrong.length > 0 ? `! ${wrong[0][1]} – Lockstep` : `${topology.cluster} – Lockstep`;
}

function turnTo(page) {
  for (const tab of tabs) {
    const chosen = tab.dataset.page === page;
    tab.setAttribute('aria-selected', String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    element(tab.getAttribute('aria-controls')).hidden = !chosen || store.state === null;
  }
  draw();
}

function tellFreshness() {
  const live = element('live');
  const age = store.ageMs();
  const waiting = store.state === null;
  const stale = !waiting && age > staleMs;
  const text = waiting ? 'Connecting' : stale ? `${span(age)} old` : 'Live';
  live.dataset.state = waiting ? 'waiting' : stale ? 'stale' : 'live';
  if (element('live-text').textContent !== text) element('live-text').textContent = text;
  const note = element('stale');
  if (note.hidden === stale) {
    note.hidden = !stale;
    show(
        note, icon('warning'),
        h('span', {}, 'The node does not answer: what is shown is old. Trying again …'));
  }
  document.body.classList.toggle('is-stale', stale);
}

let announced = 0;
function announce() {
  const last = store.state.events.at(-1);
  if (last === undefined || last.id === announced) return;
  if (announced !== 0) element('announcer').textContent = last.text;
  announced = last.id;
}

function onNews() {
  element('waiting').hidden = true;
  turnTo(currentPage());
  tellFreshness();
  announce();
}

function listenToTabs() {
  for (const tab of tabs) {
    tab.addEventListener('click', () => {
      location.hash = tab.dataset.page;
    });
  }
  document.querySelector('[role=tablist]').addEventListener('keydown', (event) => {
    const here = tabs.indexOf(document.activeElement);
    const steps = {ArrowLeft: -1, ArrowRight: 1, Home: -here, End: tabs.length - 1 - here};
    if (here < 0 || !(event.key in steps)) return;
    event.preventDefault();
    const next = tabs[(here + steps[event.key] + tabs.length) % tabs.length];
    location.hash = next.dataset.page;
    next.focus();
  });
  addEventListener('hashchange', () => turnTo(currentPage()));
}

function listenToTheme() {
  const button = element('theme');
  const tell = (theme) => {
    button.setAttribute(
        'aria-label', `Colours: ${theme === 'system' ? 'as the system has them' : theme}`);
    button.title = button.getAttribute('aria-label');
    show(button, icon(theme));
  };
  button.addEventListener('click', () => tell(window.lockstepTheme.next()));
  tell(window.lockstepTheme.current());
}

listenToTabs();
listenToTheme();
listenToPlots(element('page-overview'), store, draw);
listenToShards(element('page-shards'), store, draw);
addEventListener('resize', draw);
setInterval(tellFreshness, 500);
turnTo(currentPage());
openStream(
    (state) => {
      store.replace(state);
      onNews();
    },
    (update) => {
      store.add(update);
      onNews();
    });
