// Both panels: shows the notes of the request, sends the user's, and tells when the other side is typing.
import { invoke, view } from '@forge/bridge';
import { JiraServiceManagement, realtime } from 'sealwire';

/** @typedef {import('../src/notes.js').Note} Note */
/** @typedef {import('../src/notes.js').Side} Side */
/** @typedef {{ note?: Note, typing?: Side }} Message */

/** The interval at which a hint is repeated while the user is typing. */
const REPEAT_MS = 3_000;
/** The time after which a hint expires unless it is repeated. */
const EXPIRY_MS = 6_000;
const NAMES = new Map([
  ['customer', 'The customer'],
  ['agent', 'An agent'],
]);

const list = /** @type {HTMLElement} */ (document.querySelector('ol'));
const status = /** @type {HTMLElement} */ (document.querySelector('[role=status]'));
const form = /** @type {HTMLFormElement} */ (document.querySelector('form'));

/** @type {Map<string, Note>} */
const known = new Map();
/** @type {Side | undefined} the user's own side */
let side;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let expiry;
let lastHint = -Infinity;

/** @param {Note[]} notes */
function add(...notes) {
  for (const note of notes) known.set(note.id, note);
  const inOrder = [...known.values()].sort((a, b) => a.id.localeCompare(b.id));
  list.replaceChildren(...inOrder.map(item));
}

/** @param {Note} note */
function item(note) {
  const element = document.createElement('li');
  element.textContent = note.text;
  element.title = `${NAMES.get(note.side)}, ${new Date(note.at).toLocaleString()}`;
  element.toggleAttribute('data-own', note.side === side);
  return element;
}

/** @param {Message} message */
function receive({ note, typing }) {
  if (note) add(note);
  const from = note?.side ?? typing;
  if (from === undefined || from === side) return;
  clearTimeout(expiry);
  status.textContent = typing ? `${NAMES.get(typing)} is typing …` : '';
  if (typing) expiry = setTimeout(() => (status.textContent = ''), EXPIRY_MS);
}

async function load() {
  const loaded = /** @type {{ side: Side, notes: Note[] }} */ (await invoke('notes'));
  side = loaded.side;
  add(...loaded.notes);
}

/** @param {() => Promise<unknown>} work */
async function attempt(work) {
  try {
    await work();
  } catch (error) {
    status.textContent = error instanceof Error ? error.message : String(error);
  }
}

form.addEventListener('input', () => {
  if (performance.now() - lastHint < REPEAT_MS) return;
  lastHint = performance.now();
  // The panel works without hints.
  invoke('typing').catch(() => {});
});

form.addEventListener('submit', (event) => {
  event.preventDefault();
  lastHint = -Infinity;
  void attempt(async () => {
    add(/** @type {Note} */ (await invoke('addNote', { text: new FormData(form).get('text') })));
    form.reset();
  });
});

void view.theme.enable();
await attempt(async () => {
  await realtime.subscribe('chat', (message) => receive(/** @type {Message} */ (message)), {
    contextOverrides: [JiraServiceManagement.Request],
    // After a gap, only the storage knows the notes.
    onGap: () => attempt(load),
    onError: (error) => (status.textContent = error.message),
  });
  // The notes are loaded after the subscription, so that none is missed in between.
  await load();
});
