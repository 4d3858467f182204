// The start of a gadget.
import type { ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import { view } from '@forge/bridge';
import './styles/tokens.css';
import './styles/gadget.css';
import './styles/avatar.css';

/** Shows a gadget, which follows Jira's light or dark theme. */
export function start(gadget: ReactNode) {
  void view.theme.enable();
  createRoot(document.getElementById('root')!).render(gadget);
}
