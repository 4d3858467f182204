// The macro's page: shows the poll, takes the user's vote, and shows the votes of everybody as they come.
import { invoke, view } from '@forge/bridge';
import { realtime } from 'sealwire';
import { configOf } from '../config.js';
import { Tally } from './tally.js';

/** @typedef {import('../../src/votes.js').Vote} Vote */

const title = /** @type {HTMLElement} */ (document.querySelector('h2'));
const list = /** @type {HTMLElement} */ (document.querySelector('ul'));
const status = /** @type {HTMLElement} */ (document.querySelector('[role=status]'));

const tally = new Tally();
/** @type {string | undefined} the user's ballot */
let mine;

void view.theme.enable();
const { extension, localId } = await view.getContext();
const { question, options } = configOf(extension);

function render() {
  const counts = options.map((option) => tally.count(option));
  // Votes for options that the poll does not have count for nothing.
  const total = counts.reduce((sum, count) => sum + count, 0);
  const chosen = tally.optionOf(mine);
  title.textContent = question;
  list.replaceChildren(
    ...options.map((option, i) => row(option, counts.at(i) ?? 0, total, option === chosen)),
  );
  status.textContent = options.length === 0 ? 'Edit the macro to write the poll.' : `${total} votes`;
}

/**
 * @param {string} option
 * @param {number} count
 * @param {number} total
 * @param {boolean} isChosen
 */
function row(option, count, total, isChosen) {
  const button = Object.assign(document.createElement('button'), { type: 'button', textContent: option });
  button.setAttribute('aria-pressed', String(isChosen));
  button.addEventListener('click', () => attempt(() => vote(option)));
  const meter = Object.assign(document.createElement('meter'), { max: Math.max(total, 1), value: count });
  meter.setAttribute('aria-label', `Votes for ${option}`);
  const number = Object.assign(document.createElement('span'), { textContent: String(count) });
  const item = document.createElement('li');
  item.append(button, meter, number);
  return item;
}

/** @param {string} option */
async function vote(option) {
  const stored = /** @type {Vote} */ (await invoke('vote', { option }));
  mine = stored.ballot;
  tally.add(stored);
  render();
}

async function load() {
  const loaded = /** @type {{ votes: Vote[], mine?: string }} */ (await invoke('votes'));
  mine = loaded.mine ?? mine;
  loaded.votes.forEach((stored) => tally.add(stored));
  render();
}

/** @param {() => Promise<unknown>} work */
async function attempt(work) {
  try {
    await work();
  } catch (error) {
    status.textContent = error instanceof Error ? error.message : String(error);
  }
}

render();
if (options.length > 0) {
  await attempt(async () => {
    await realtime.subscribe(
      `votes:${localId}`,
      (stored) => {
        tally.add(/** @type {Vote} */ (stored));
        render();
      },
      // After a gap, only the storage knows the votes.
      { onGap: () => attempt(load), onError: (error) => (status.textContent = error.message) },
    );
    // The votes are loaded after the subscription, so that none is missed in between.
    await load();
  });
}
