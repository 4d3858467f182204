// Light or dark: the system's choice until the button is used; the iframes follow, as they do in Jira.
import { byId } from './element.mjs';

const dark = matchMedia('(prefers-color-scheme: dark)');

/** @returns {'light' | 'dark'} */
export function currentTheme() {
  const chosen = document.documentElement.dataset.theme;
  return chosen === 'light' || chosen === 'dark' ? chosen : dark.matches ? 'dark' : 'light';
}

/** @param {{ tell: (message: object) => void }[]} frames */
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
    for (const { tell } of frames) tell({ theme });
  });
  show();
}
