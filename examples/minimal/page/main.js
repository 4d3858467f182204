// The page: shows the notes that users of the issue send, and sends new ones.
import { invoke } from '@forge/bridge';
import { realtime } from 'sealwire';

const form = /** @type {HTMLFormElement} */ (document.querySelector('form'));

const show = (/** @type {string} */ text) => {
  const line = document.createElement('p');
  line.textContent = text;
  document.body.append(line);
};

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  await invoke('addNote', { text: new FormData(form).get('text') });
  form.reset();
});

realtime
  .subscribe('notes', (note, error) => {
    if (error) show(error.message);
    else if (typeof note === 'object') show(String(note.text));
  })
  .catch((error) => show(error.message));
