// The table of everything that the relay saw, newest first, and the search in all of its bytes.
import { byId, element } from './element.mjs';

/** @typedef {import('../src/relay/recorder.mjs').Row} Row */
/** @typedef {import('./host.mjs').ShownMember} ShownMember */

const MAX_ROWS = 200;
/** The length of the ciphertext in a row, in hexadecimal digits. */
const PREVIEW = 128;
const HEARTBEATS = ['Ping', 'Pong'];
const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });

/** @param {ShownMember[]} members */
export function showRelay(members) {
  const rows = byId('rows', HTMLTableSectionElement);
  const heartbeats = byId('heartbeats', HTMLElement);
  /** @type {Map<number, string>} */
  const names = new Map();
  let beats = 0;
  let counted = 0;
  const showHidden = () => {
    const parts = [beats > 0 && `${beats} heartbeats`, counted > 0 && `${counted} messages of the counters`];
    heartbeats.textContent = `and ${parts.filter(Boolean).join(', ')}`;
  };

  new EventSource('/api/relay').addEventListener('message', ({ data }) => {
    /** @type {Row} */
    const row = JSON.parse(data);
    const member = members.find(({ accountId }) => accountId === row.accountId);
    if (member) names.set(row.connection, member.displayName.split(' ')[0]);
    if (HEARTBEATS.includes(row.kind) || row.background) {
      if (row.background) counted += 1;
      else beats += 1;
      return showHidden();
    }
    rows.prepend(...rowElements(row, names.get(row.connection)));
    while (rows.children.length > 2 * MAX_ROWS) rows.lastElementChild?.remove();
  });
  followSearch();
}

/**
 * Creates a row, and the row of details that a click opens.
 * @param {Row} row
 * @param {string | undefined} name
 */
function rowElements(row, name) {
  const who = row.transport === 'http' ? 'App function' : (name ?? `Connection ${row.connection}`);
  const [from, to] = row.direction === 'to-relay' ? [who, row.relay] : [row.relay, who];
  const details = element(
    'tr',
    { class: 'details', hidden: '' },
    element('td', { colspan: '7' }, detailsOf(row)),
  );
  const toggle = element('button', { type: 'button', 'aria-expanded': 'false' }, row.kind);
  const shown = element(
    'tr',
    { class: row.direction, 'data-kind': row.kind },
    element('td', { class: 'time' }, clock.format(row.at)),
    element('td', {}, partyElement(from)),
    element('td', {}, partyElement(to)),
    element('td', { class: 'kind' }, toggle),
    element('td', {}, row.channel ?? ''),
    element('td', { class: 'number' }, String(row.size)),
    element('td', { class: 'readable' }, preview(row)),
  );
  shown.addEventListener('click', () => {
    details.hidden = !details.hidden;
    toggle.setAttribute('aria-expanded', String(!details.hidden));
  });
  return [shown, details];
}

/** @param {string} party */
function partyElement(party) {
  const type = party.startsWith('Relay') ? 'relay' : party.toLowerCase().replace(' ', '-');
  return element('span', { class: `party ${type}` }, party);
}

/** @param {Row} row */
function preview({ sealed, scope, detail, accountId, kind }) {
  if (sealed) return bytesOf(sealed, PREVIEW);
  if (kind === 'Hello') return `${detail} of ${accountId}, ${scopeText(scope)}`;
  return detail ?? (scope && scopeText(scope)) ?? '';
}

/** @param {Row} row */
function detailsOf(row) {
  const facts = [
    ['Account id', row.accountId],
    ['Scope', row.scope && scopeText(row.scope)],
    ['Channel id', row.channelId],
    ['Event', row.event],
    ['Details', row.detail],
    ['Sealed', row.sealed && `${row.sealed.size} bytes`],
  ];
  const list = element('dl');
  for (const [term, value] of facts) {
    if (value) list.append(element('dt', {}, String(term)), element('dd', {}, value));
  }
  const parts = element('div', {}, list);
  if (row.sealed) parts.append(element('pre', {}, bytesOf(row.sealed)));
  return parts;
}

/** @param {Row['scope']} scope */
function scopeText(scope = {}) {
  if (Array.isArray(scope)) return scope.length > 0 ? `by ${scope.join(', ')}` : 'installation-wide';
  const entries = Object.entries(scope);
  return entries.length > 0
    ? entries.map(([name, value]) => `${name} ${value}`).join(', ')
    : 'installation-wide';
}

/**
 * Shows a sealed message in hexadecimal, cut after `limit` digits of ciphertext.
 * @param {NonNullable<Row['sealed']>} sealed
 * @param {number} [limit]
 */
function bytesOf({ version, keyId, nonce, ciphertext }, limit) {
  const short = limit !== undefined && ciphertext.length > limit;
  return element(
    'code',
    {},
    element('span', { class: 'head' }, version + keyId),
    element('span', { class: 'nonce' }, short ? nonce.slice(0, 12) + '…' : nonce),
    element('span', { class: 'cipher' }, short ? ciphertext.slice(0, limit) + '…' : ciphertext),
  );
}

function followSearch() {
  const query = byId('query', HTMLInputElement);
  const found = byId('found', HTMLOutputElement);
  const search = async () => {
    const text = query.value.trim();
    if (!text) return void (found.textContent = '');
    const { count, bytes } = await (await fetch(`/api/search?q=${encodeURIComponent(text)}`)).json();
    if (query.value.trim() !== text) return;
    found.dataset.found = String(count > 0);
    found.textContent =
      count === 0
        ? `Not found in ${bytes.toLocaleString('en')} bytes`
        : `Found ${count} times: the relay can read channel names, ids and sizes`;
  };
  query.addEventListener('input', search);
  byId('search', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    void search();
  });
}
