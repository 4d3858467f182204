// The lookup of an account, and the way from its result to the dialog that ends its sessions.
import { askToDisconnect } from './disconnect.mjs';
import { byId, duration, element, facts, number, size, table, time } from './element.mjs';
import { EVENTS, eventRows } from './panels.mjs';
import { post } from './request.mjs';

/** @typedef {import('./snapshot.d.ts').Party} Party */

const form = byId('lookup', HTMLFormElement);
const output = byId('found', HTMLElement);
const announced = byId('announced', HTMLElement);
let permitsChanges = false;

/** @param {boolean} permits true if the relay has a token for changes */
export function setUpLookup(permits) {
  permitsChanges = permits;
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void lookUp(partyOf(new FormData(form)));
});

/**
 * @param {FormData} fields
 * @returns {Party}
 */
function partyOf(fields) {
  const text = (/** @type {string} */ name) => String(fields.get(name) ?? '').trim();
  const account = text('account');
  const installation = { app: text('app'), installation: text('installation') };
  return account ? { ...installation, account } : { ...installation, everyone: true };
}

/** @param {Party} party */
async function lookUp(party) {
  try {
    const answer = await post('lookup', party);
    const body = await answer.json();
    if (answer.ok) showFound(party, body);
    else showProblem(body.error.message);
  } catch {
    showProblem('The relay does not answer. Try again.');
  }
}

/** @param {string} text */
function showProblem(text) {
  output.replaceChildren(element('p', { class: 'problem' }, text));
  announced.textContent = text;
}

/**
 * @param {Party} party
 * @param {import('./snapshot.d.ts').Found} found
 */
function showFound(party, found) {
  const { sessions, connections, waitingBytes, stalledMs, sessionsElsewhere, revokedBefore } = found;
  const list = facts([
    ['Sessions here', sessions === 0 ? 'none' : `${number(sessions)} (connections: ${number(connections)})`],
    ['At other relays', sessionsElsewhere === null ? 'no cluster' : `${number(sessionsElsewhere)} or more`],
    ['At most', number(found.maxSessions)],
    [
      'Waiting to be read',
      waitingBytes ? `${size(waitingBytes)} for ${duration(stalledMs / 1000)}` : 'nothing',
    ],
    ['Revoked', revokedBefore === null ? 'no' : `tokens issued before ${time(revokedBefore * 1000)} UTC`],
    ['Hash', found.account ?? found.installation],
  ]);
  const summary = element('div', { class: 'summary' }, list, disconnectButton(party, sessions));
  const description = { ...EVENTS, empty: 'No refused attempt and no ended session is remembered.' };
  announced.textContent = `Found ${number(sessions)} sessions, and ${number(found.events.length)} reasons of refusals and ends.`;
  const region = {
    class: 'table',
    tabindex: '0',
    role: 'region',
    'aria-label': 'Events of the looked up party',
  };
  output.replaceChildren(summary, element('div', region, table(description, eventRows(found.events))));
}

/**
 * @param {Party} party
 * @param {number} sessions
 */
function disconnectButton(party, sessions) {
  if (!permitsChanges) {
    return element('p', { class: 'hint' }, 'To end sessions here, set admin_token_file and reload.');
  }
  const button = element('button', { type: 'button' }, 'End these sessions…');
  button.addEventListener('click', () =>
    askToDisconnect(party, sessions, () => {
      void lookUp(party);
    }),
  );
  return button;
}
