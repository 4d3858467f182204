// The dialog that ends sessions. The token stays in its field, and is cleared when the dialog closes.
import { byId, number } from './element.mjs';
import { post } from './request.mjs';

/** @typedef {import('./snapshot.d.ts').Party} Party */

const dialog = byId('confirm', HTMLDialogElement);
const form = byId('disconnect', HTMLFormElement);
const problem = byId('problem', HTMLElement);
const repeat = byId('repeat', HTMLLabelElement);

/** @type {{ party: Party, done: () => void } | undefined} */
let asked;

/**
 * Asks for the token, and for the installation's id once more if everybody in it is meant.
 * @param {Party} party
 * @param {number} sessions
 * @param {() => void} done called after the sessions have ended
 */
export function askToDisconnect(party, sessions, done) {
  asked = { party, done };
  const whose = party.account
    ? `account ${party.account}`
    : `everybody in installation ${party.installation}`;
  byId('confirm-text', HTMLElement).textContent =
    `This ends the sessions of ${whose} at every relay (${number(sessions)} here), and their tokens are refused. ` +
    'The app can admit them again with new tokens. The audit log gets a line.';
  repeat.hidden = !party.everyone;
  problem.textContent = '';
  dialog.showModal();
}

byId('cancel', HTMLButtonElement).addEventListener('click', () => dialog.close());
dialog.addEventListener('close', () => form.reset());

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void disconnect(new FormData(form));
});

/** @param {FormData} fields */
async function disconnect(fields) {
  if (!asked) return;
  const { party, done } = asked;
  if (party.everyone && fields.get('repeated') !== party.installation) {
    problem.textContent = 'The installation differs from the one that was looked up.';
    return;
  }
  try {
    const authorization = `Bearer ${String(fields.get('token')).trim()}`;
    const answer = await post('disconnect', party, { Authorization: authorization });
    if (answer.ok) {
      dialog.close();
      done();
    } else {
      problem.textContent = (await answer.json()).error.message;
    }
  } catch {
    problem.textContent =
      'The relay did not answer, or the token has characters that no header can have. Try again.';
  }
}
