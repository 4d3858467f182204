// The entry of the gadget.
import { createRoot } from 'react-dom/client';
import { view } from '@forge/bridge';
import { App } from './App';
import './styles/tokens.css';
import './styles/gadget.css';
import './styles/form.css';
import './styles/list.css';

// The gadget follows Jira's light or dark theme.
void view.theme.enable();

createRoot(document.getElementById('root')!).render(<App />);
