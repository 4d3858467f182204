// The page: logs in at the app's server, gets its sessions there, and shows the notes of a room and the users in it.
import { createRealtime } from 'sealwire';

const ROOM = 'kitchen';

const realtime = createRealtime({
  session: (request) => post(`/session?room=${ROOM}`, request),
});

/**
 * @param {string} path
 * @param {unknown} [body]
 */
async function post(path, body = {}) {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

/** Enters the room, and shows the others in it. */
async function enterRoom() {
  const presence = await realtime.presence('notes', { tabs: 'merged' });
  const line = /** @type {HTMLElement} */ (document.querySelector('#present'));
  presence.onChange((members) => {
    line.textContent = `In the ${ROOM}: ${members.map((member) => member.claimedAccountId).join(', ')}`;
  });
  await presence.enter();
}

/** @param {string} text */
function show(text) {
  const line = document.createElement('p');
  line.textContent = text;
  document.querySelector('#notes')?.append(line);
}

/**
 * @param {string} id
 * @param {(fields: Record<string, FormDataEntryValue>, form: HTMLFormElement) => Promise<void>} act
 */
function onSubmit(id, act) {
  const form = /** @type {HTMLFormElement} */ (document.getElementById(id));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    act(Object.fromEntries(new FormData(form)), form).catch((error) => show(error.message));
  });
  return form;
}

const noteForm = onSubmit('note', async (note, form) => {
  await post(`/notes?room=${ROOM}`, note);
  form.reset();
});

onSubmit('login', async (credentials, form) => {
  await post('/login', credentials);
  await realtime.subscribe('notes', (note, error) => {
    if (error) show(error.message);
    else if (typeof note === 'object') show(`${note.by}: ${note.text}`);
  });
  await enterRoom();
  form.hidden = true;
  noteForm.hidden = false;
});
