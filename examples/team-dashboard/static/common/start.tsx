// The start of a gadget.
import type { ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import { view } from '@forge/bridge';
import { realtime } from './realtime';
import './styles/tokens.css';
import './styles/gadget.css';
import './styles/avatar.css';

/** Shows a gadget, which follows Jira's light or dark theme. */
export function start(gadget: ReactNode) {
  void view.theme.enable();
  void showDevtools();
  createRoot(document.getElementById('root')!).render(gadget);
}

/**
 * Shows Sealwire's panel for developers if the address has `?devtools`. Only a build with the variable, such as that of
 * `cargo xtask demo`, and the development server contain it.
 */
async function showDevtools() {
  if (!import.meta.env.DEV && !import.meta.env.VITE_SEALWIRE_DEVTOOLS) return;
  if (!new URLSearchParams(location.search).has('devtools')) return;
  const devtools = await import('sealwire/devtools');
  devtools.showDevtools(realtime);
}
