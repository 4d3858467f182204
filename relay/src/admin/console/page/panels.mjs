// The tiles and the panels of the console. A panel changes only if its contents do, so that a selection in it survives.
import { byId, duration, element, facts, number, size, table, time } from './element.mjs';

/** @typedef {import('./snapshot.d.ts').Snapshot} Snapshot */

/** The number of values that a line shows: four minutes. */
const HISTORY = 120;

/** @type {Map<string, number[]>} */
const histories = new Map();
/** @type {Map<string, string>} */
const shown = new Map();

/** @param {Snapshot} snapshot */
export function showPanels(snapshot) {
  const { version, uptimeSeconds } = snapshot;
  byId('subtitle', HTMLElement).textContent = `Version ${version}, up for ${duration(uptimeSeconds)}`;
  byId('tiles', HTMLElement).replaceChildren(...tiles(snapshot));
  fill('codes', CODES, codes(snapshot));
  fill('recent', EVENTS, eventRows(snapshot.recent));
  fill('memory', MEMORY, memory(snapshot));
  fill(
    'limits',
    LIMITS,
    snapshot.limits.map(({ limit, refusals }) => [limit, number(refusals)]),
  );
  fill('slow', SLOW, slow(snapshot));
  fill('installations', INSTALLATIONS, ranked(snapshot.installations));
  fill('channels', CHANNELS, ranked(snapshot.channels));
  show('presence-summary', presenceFacts(snapshot), facts);
  fill('presence', PRESENCE, presenceRows(snapshot));
  fill('cluster', CLUSTER, cluster(snapshot));
}

/**
 * @param {string} id
 * @param {Parameters<typeof table>[0]} description
 * @param {string[][]} rows
 */
function fill(id, description, rows) {
  show(id, rows, (contents) => table(description, contents));
}

/**
 * @template Contents
 * @param {string} id
 * @param {Contents} contents
 * @param {(contents: Contents) => Node} make
 */
function show(id, contents, make) {
  const text = JSON.stringify(contents);
  if (shown.get(id) === text) return;
  shown.set(id, text);
  byId(id, HTMLElement).replaceChildren(make(contents));
}

/** @param {Snapshot} snapshot */
function tiles({ connections, rates, latency, memory: held, refusals }) {
  const used = Object.values(held.parts).reduce((sum, bytes) => sum + bytes, 0);
  const perSecond = (/** @type {number | undefined} */ rate) => (rate === undefined ? '–' : number(rate));
  const refused = refusals.reduce((sum, { lastMinute }) => sum + lastMinute, 0);
  return [
    tile('Connections', number(connections.open), `of ${number(connections.max)} at most`, connections.open),
    tile('Sessions', number(connections.sessions), `${number(connections.subscriptions)} subscriptions`),
    tile(
      'Published / s',
      perSecond(rates?.publications),
      `${number(connections.channels)} channels`,
      rates?.publications,
    ),
    tile(
      'Delivered / s',
      perSecond(rates?.deliveries),
      `${size(rates?.sentBytes ?? 0)}/s sent`,
      rates?.deliveries,
    ),
    tile(
      'Latency, p99',
      quantile(latency, latency?.p99Ms),
      `p50 ${quantile(latency, latency?.p50Ms)}, last minute`,
    ),
    tile('Memory', size(used), `of ${size(held.limitBytes)}; process ${size(held.residentBytes ?? 0)}`, used),
    tile('Refusals / min', number(refused), `${perSecond(rates?.connectionsOpened)} connects / s`, refused),
  ];
}

/**
 * @param {Snapshot['latency']} latency
 * @param {number | null | undefined} millis
 */
function quantile(latency, millis) {
  if (!latency) return '–';
  return typeof millis === 'number' ? `≤ ${number(millis)} ms` : '> 10 s';
}

/**
 * @param {string} name
 * @param {string} value
 * @param {string} detail
 * @param {number} [plotted] the value of the line, if there is one
 */
function tile(name, value, detail, plotted) {
  const made = element(
    'div',
    {},
    element('dt', {}, name),
    element('dd', {}, value),
    element('dd', {}, detail),
  );
  if (plotted !== undefined) made.lastElementChild?.append(line(name, plotted));
  return made;
}

const SVG = 'http://www.w3.org/2000/svg';

/**
 * Creates the line of the last values.
 * @param {string} name
 * @param {number} value
 */
function line(name, value) {
  const values = [...(histories.get(name) ?? []), value].slice(-HISTORY);
  histories.set(name, values);
  const highest = Math.max(...values, 1);
  const points = values.map(
    (each, index) => `${HISTORY - values.length + index},${28 - (each / highest) * 26}`,
  );
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${HISTORY - 1} 28`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('aria-hidden', 'true');
  const drawn = document.createElementNS(SVG, 'polyline');
  drawn.setAttribute('points', points.join(' '));
  svg.append(drawn);
  return svg;
}

const amount = { class: 'number' };
const hash = { class: 'hash' };
const advice = { title: 'What to do', class: 'advice' };

const CODES = {
  caption: 'Refused attempts and sessions that the relay ended, by code',
  empty: 'Nothing was refused since the start, and no session was ended.',
  columns: [
    { title: 'Code' },
    { title: 'Refused, last min', ...amount },
    { title: 'in all', ...amount },
    { title: 'Ended, last min', ...amount },
    { title: 'in all', ...amount },
    advice,
  ],
};

/** @param {Snapshot} snapshot */
function codes({ refusals, goodbyes }) {
  const ended = new Map(goodbyes.map((count) => [count.code, count]));
  const refused = new Map(refusals.map((count) => [count.code, count]));
  const all = new Map([...goodbyes, ...refusals].map((count) => [count.code, count.advice]));
  return [...all].map(([code, text]) => [
    code,
    ...[refused.get(code), ended.get(code)].flatMap((count) => [
      number(count?.lastMinute ?? 0),
      number(count?.total ?? 0),
    ]),
    text,
  ]);
}

export const EVENTS = {
  caption: 'The latest refused attempts and ended sessions',
  empty: 'There are none.',
  columns: [
    { title: 'Last (UTC)' },
    { title: 'Attempt' },
    { title: 'Code' },
    { title: 'Times', ...amount },
    { title: 'Since' },
    { title: 'Installation', ...hash },
    { title: 'Account', ...hash },
    { title: 'Trace', ...hash },
    advice,
  ],
};

/** @param {Snapshot['recent']} events */
export const eventRows = (events) =>
  events.map((event) => [
    time(event.lastAt),
    event.attempt,
    event.code,
    number(event.count),
    time(event.firstAt),
    event.installation ?? 'unknown',
    event.account ?? '–',
    event.trace,
    event.advice,
  ]);

const MEMORY = {
  caption: 'Memory in the budget of memory_bytes, by what it is used for',
  empty: '',
  columns: [{ title: 'Used for' }, { title: 'Size', ...amount }, { title: 'Share', ...amount }],
};

/** @param {Snapshot} snapshot */
function memory({ memory: { limitBytes, parts, evictedBytes, connectionsShed } }) {
  const share = (/** @type {number} */ bytes) => `${number((100 * bytes) / limitBytes)} %`;
  const rows = Object.entries(parts).map(([kind, bytes]) => [kind, size(bytes), share(bytes)]);
  return [
    ...rows,
    ['evicted from replay, in all', size(evictedBytes), '–'],
    ['connections ended for memory', number(connectionsShed), '–'],
  ];
}

const LIMITS = {
  caption: 'Refusals because of a limit, since the start',
  empty: 'No limit refused anything since the start.',
  columns: [{ title: 'Setting' }, { title: 'Refusals', ...amount }],
};

const SLOW = {
  caption: 'Clients for which at least 4 KiB wait',
  empty: 'Every client reads.',
  columns: [{ title: 'Client' }, { title: 'Waiting', ...amount }, { title: 'Read nothing for', ...amount }],
};

/** @param {Snapshot} snapshot */
function slow({ slow: { clients, stalled, bytes, largest } }) {
  if (clients === 0) return [];
  const rows = largest.map((client, index) => [
    `number ${index + 1}`,
    size(client.bytes),
    duration(client.stalledMs / 1000),
  ]);
  return [[`all ${number(clients)}`, size(bytes), `${number(stalled)} for 1 s or more`], ...rows];
}

const INSTALLATIONS = {
  caption: 'The installations with the most sessions',
  empty: 'There are no sessions.',
  columns: [
    { title: 'Installation', ...hash },
    { title: 'Sessions', ...amount },
  ],
};

const CHANNELS = {
  caption: 'The channels with the most subscriptions',
  empty: 'There are no subscriptions.',
  columns: [
    { title: 'Channel', ...hash },
    { title: 'Subscriptions', ...amount },
  ],
};

/** @param {import('./snapshot.d.ts').Ranked[]} all */
const ranked = (all) => all.map(({ hash: name, count }) => [name, number(count)]);

const PRESENCE = {
  caption: 'The channels with the most members',
  empty: 'There are no members and no watchers.',
  columns: [
    { title: 'Channel', ...hash },
    { title: 'Members', ...amount },
    { title: 'Watchers', ...amount },
    { title: 'Changes / s', ...amount },
  ],
};

/** @param {number | null | undefined} perSecond */
const changeRate = (perSecond) => (perSecond === null || perSecond === undefined ? '–' : number(perSecond));

/**
 * @param {Snapshot} snapshot
 * @returns {[name: string, value: string][]}
 */
const presenceFacts = ({ presence, rates }) => [
  ['Members', number(presence.members)],
  ['Without a connection', number(presence.inGrace)],
  ['At other relays', number(presence.remoteMembers)],
  ['Watchers', number(presence.watchers)],
  ['Changes / s', changeRate(rates?.presenceChanges)],
  ['Refused by a limit', number(presence.refusals)],
  ['Refused messages of relays', number(presence.messagesRefused)],
];

/** @param {Snapshot} snapshot */
const presenceRows = ({ presence: { channels } }) =>
  channels.map(({ hash: name, members, watchers, changesPerSecond }) => [
    name,
    number(members),
    number(watchers),
    changeRate(changesPerSecond),
  ]);

const CLUSTER = {
  caption: 'The relays and NATS servers of the cluster',
  empty: 'This relay is alone: it has the embedded broker.',
  columns: [{ title: 'Member' }, { title: 'State' }],
};

/** @param {Snapshot} snapshot */
function cluster({ cluster: known }) {
  if (!known) return [];
  return [
    ...(known.relay ? [[`relay ${known.relay}`, 'this one']] : []),
    ...known.others.map((relay) => [`relay ${relay}`, 'present']),
    ...known.servers.map(({ server, connected, reconnects }) => [
      server,
      connected ? `connected, ${number(reconnects)} reconnects` : 'away',
    ]),
    ['streams followed', `${number(known.streamsFollowed)} of ${number(known.streams)}`],
  ];
}
