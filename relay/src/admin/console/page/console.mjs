// The script of the console: shows each snapshot, and wires the buttons.
import { byId } from './element.mjs';
import { setUpLookup } from './lookup.mjs';
import { showPanels } from './panels.mjs';
import { followRelay } from './stream.mjs';

const state = byId('state', HTMLElement);

/**
 * Changes the text only if it differs, so that a screen reader says it once.
 * @param {string} name
 * @param {string} text
 */
function report(name, text) {
  state.dataset.state = name;
  if (state.textContent !== text) state.textContent = text;
}

const stream = followRelay((snapshot) => {
  showPanels(snapshot);
  setUpLookup(snapshot.permitsChanges);
  const { draining, ready, configCurrent, drainDeadlineSeconds } = snapshot.state;
  if (draining) {
    report('waiting', `draining: ends within ${drainDeadlineSeconds} s of the signal`);
  } else if (!ready) {
    report('fault', 'not ready: the broker is away');
  } else if (!configCurrent) {
    report('waiting', 'live, with a former configuration: the last reload was refused');
  } else {
    report('live', 'live');
  }
}, report);

const pause = byId('pause', HTMLButtonElement);
pause.addEventListener('click', () => {
  const isPaused = pause.getAttribute('aria-pressed') !== 'true';
  pause.setAttribute('aria-pressed', String(isPaused));
  if (isPaused) stream.pause();
  else stream.resume();
});

const theme = byId('theme', HTMLButtonElement);
const dark = matchMedia('(prefers-color-scheme: dark)');
let isDark = dark.matches;

function showTheme() {
  document.documentElement.dataset.theme = isDark ? 'dark' : 'light';
  theme.textContent = isDark ? 'Light' : 'Dark';
}

dark.addEventListener('change', () => {
  isDark = dark.matches;
  showTheme();
});
theme.addEventListener('click', () => {
  isDark = !isDark;
  showTheme();
});
showTheme();
