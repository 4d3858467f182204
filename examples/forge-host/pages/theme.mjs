// The light or dark theme: the system's until the user clicks the button. The iframes follow it, as in Jira.
import { byId } from './element.mjs';

const dark = matchMedia('(prefers-color-scheme: dark)');

/** @returns {'light' | 'dark'} */
export function currentTheme() {
  const chosen = document.documentElement.dataset.theme;
  return chosen === 'light' || chosen === 'dark' ? chosen : dark.matches ? 'dark' : 'light';
}

/** @param {{ post: (message: object) => void }[]} frames */
export function followTheme(frames) {
  const button = byId('theme', HTMLButtonElement);
  const show = () => {
    const theme = currentTheme();
    document.documentElement.dataset.theme = theme;
    button.textContent = theme === 'dark' ? 'Light' : 'Dark';
    return theme;
  };
  button.addEventListener('click', () => {
    document.documentElement.dataset.theme = currentTheme() === 'dark' ? 'light' : 'dark';
    const theme = show();
    for (const { post } of frames) post({ theme });
  });
  show();
}
