// The section of the cluster: its processes with a button for each, and the counts of each person.
import { startCounters } from './counters.mjs';
import { byId, element } from './element.mjs';

/** @typedef {import('./host.mjs').ShownMember} ShownMember */
/** @typedef {import('../src/cluster/cluster.mjs').ClusterState} ClusterState */
/** @typedef {import('../src/cluster/cluster.mjs').ProcessState} ProcessState */
/** @typedef {import('./ledger.mjs').Counts} Counts */

const STATES = { ready: 'Ready', waiting: 'Not ready', killed: 'Killed' };
/** The number of NATS servers that have to run. */
const MAJORITY = 2;
const RENDER_MS = 100;
const number = new Intl.NumberFormat('en');

/** @param {ShownMember[]} members */
export function showCluster(members) {
  byId('cluster', HTMLElement).hidden = false;
  byId('subtitle', HTMLElement).textContent =
    'One Jira site, three users, two relays on three NATS servers, and nothing missed when one of them dies';
  byId('relay-title', HTMLElement).textContent = 'What the relays saw';
  /** @type {ClusterState} */
  let state = { processes: [], people: [] };
  /** The state when the page opened. The resumptions before are those of another page. */
  let opened = state;
  let isDue = false;
  const render = () => {
    if (isDue) return;
    isDue = true;
    setTimeout(() => {
      isDue = false;
      const people = members.map((member) => ({ member, counts: counters.countsOf(member) }));
      byId('people', HTMLTableSectionElement).replaceChildren(
        ...people.map(({ member, counts }) => personElement(member, counts, state, opened)),
      );
      showVerdict(
        people.map(({ counts }) => counts),
        state,
      );
    }, RENDER_MS);
  };
  const counters = startCounters(members, render);
  followButton(counters.setPublishing);

  new EventSource('/api/cluster').addEventListener('message', ({ data }) => {
    state = JSON.parse(data);
    if (opened.people.length === 0) opened = state;
    showProcesses(state, members);
    render();
  });
}

/** @param {(wanted: boolean) => void} setPublishing */
function followButton(setPublishing) {
  const button = byId('publishing', HTMLButtonElement);
  button.addEventListener('click', () => {
    const wanted = button.getAttribute('aria-pressed') !== 'true';
    button.setAttribute('aria-pressed', String(wanted));
    button.textContent = wanted ? 'Stop publishing' : 'Start publishing';
    setPublishing(wanted);
  });
}

/**
 * @param {ClusterState} state
 * @param {ShownMember[]} members
 */
function showProcesses({ processes, people }, members) {
  const list = byId('processes', HTMLUListElement);
  const focused = document.activeElement?.closest('[data-process]')?.getAttribute('data-process');
  list.replaceChildren(
    ...processes.map((process) => {
      const connected = members.filter(({ id }) =>
        people.some((person) => person.id === id && person.relays.includes(process.id)),
      );
      return processElement(process, connected);
    }),
  );
  const again = list.querySelector(`[data-process="${focused}"] button`);
  if (again instanceof HTMLElement) again.focus();
}

/**
 * @param {ProcessState} process
 * @param {ShownMember[]} connected the people whose pages are connected to it
 */
function processElement({ id, name, kind, state, streams }, connected) {
  const action = state === 'killed' ? 'start' : 'kill';
  const button = element('button', { type: 'button' }, action === 'kill' ? 'Kill' : 'Start');
  button.setAttribute('aria-label', `${button.textContent} ${name}`);
  button.addEventListener('click', async () => {
    button.disabled = true;
    const body = JSON.stringify({ id, action });
    const answer = await fetch('/api/cluster', { method: 'POST', body }).catch(() => undefined);
    if (!answer?.ok) button.disabled = false;
  });
  const detail =
    kind === 'relay'
      ? element('span', { class: 'detail' }, ...connected.map(badge))
      : element('span', { class: 'detail' }, state === 'killed' ? '' : leadership(streams));
  return element(
    'li',
    { 'data-process': id, 'data-kind': kind, 'data-state': state },
    element('strong', {}, name),
    element('span', { class: 'state' }, STATES[state]),
    detail,
    button,
  );
}

/** @param {ProcessState['streams']} streams */
const leadership = (streams) => (streams?.led ? `leads ${streams.led} of ${streams.of} streams` : 'follows');

/** @param {ShownMember} member */
function badge({ id, displayName }) {
  const name = displayName.split(' ')[0];
  return element('span', { class: `person ${id}`, title: name, role: 'img', 'aria-label': name }, name[0]);
}

/**
 * @param {ShownMember} member
 * @param {Counts} counts
 * @param {ClusterState} state
 * @param {ClusterState} opened
 */
function personElement({ id, displayName }, counts, { processes, people }, opened) {
  const person = people.find((one) => one.id === id);
  const before = opened.people.find((one) => one.id === id);
  const relays = processes.filter((process) => person?.relays.includes(process.id));
  const resumed = (person?.resumed ?? 0) - (before?.resumed ?? 0);
  const all = resumed + (person?.notRecovered ?? 0) - (before?.notRecovered ?? 0);
  const cell = (/** @type {string} */ name, /** @type {number} */ count, isFault = false) =>
    element(
      'td',
      { class: 'number', 'data-count': name, 'data-fault': isFault && count > 0 ? '' : undefined },
      number.format(count),
    );
  return element(
    'tr',
    { 'data-person': id },
    element('th', { scope: 'row' }, element('span', { class: `party ${id}` }, displayName.split(' ')[0])),
    element('td', { 'data-relays': relays.map((relay) => relay.id).join(' ') }, connection(relays)),
    cell('published', counts.published),
    cell('received', counts.received),
    cell('underway', counts.underway),
    cell('missed', counts.missed + counts.failed, true),
    cell('repeated', counts.repeated, true),
    cell('reordered', counts.reordered + counts.strayed, true),
    cell('unanswered', counts.unanswered),
    cell('gaps', counts.gaps, true),
    element(
      'td',
      { class: 'number', 'data-resumed': String(resumed), 'data-fault': resumed < all ? '' : undefined },
      `${number.format(resumed)} of ${number.format(all)}`,
    ),
  );
}

/** @param {ProcessState[]} relays */
const connection = (relays) =>
  relays.length > 0 ? relays.map(({ name }) => name).join(', ') : element('em', {}, 'connecting…');

/**
 * @param {Counts[]} people
 * @param {ClusterState} state
 */
function showVerdict(people, { processes }) {
  const verdict = byId('verdict', HTMLElement);
  const sum = (/** @type {(counts: Counts) => number} */ of) =>
    people.reduce((total, counts) => total + of(counts), 0);
  const faults = sum(({ missed, failed, repeated, reordered, strayed }) => {
    return missed + failed + repeated + reordered + strayed;
  });
  const gaps = sum((counts) => counts.gaps);
  const refused = sum((counts) => counts.refused);
  const isWaiting =
    processes.length > 0 && !processes.some(({ kind, state }) => kind === 'relay' && state === 'ready');
  const notes = [
    faults === 0 && gaps === 0
      ? 'Nothing missed: every event arrived once and in order.'
      : `${faults} events missed, repeated or out of order; the SDK reported ${gaps} gaps.`,
  ];
  if (isWaiting) notes.push(`Publishing waits: ${reasonToWait(processes)}.`);
  if (refused > 0) notes.push(`Events that were refused after two minutes: ${refused}.`);
  verdict.dataset.fault = String(faults + gaps > 0);
  const text = notes.join(' ');
  if (verdict.textContent !== text) verdict.textContent = text;
}

/** @param {ProcessState[]} processes */
function reasonToWait(processes) {
  const running = (/** @type {string} */ kind) =>
    processes.filter((process) => process.kind === kind && process.state !== 'killed').length;
  if (running('relay') === 0) return 'no relay runs';
  if (running('nats') < MAJORITY) return 'two of three NATS servers have to run';
  return 'the NATS servers elect leaders';
}
