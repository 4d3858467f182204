// Tabs as the ARIA Authoring Practices describe them: the arrow keys, Home and End choose a tab, and only the chosen one is
// in the order of the Tab key.

import { h } from './dom.js';

export interface Tab {
  button: HTMLButtonElement;
  panel: HTMLElement;
}

export class Tabs {
  readonly list = h('div', { role: 'tablist', 'aria-label': 'Sealwire devtools' });
  readonly tabs: readonly Tab[];
  #chosen = 0;

  /** `changed` is called when another tab is chosen. */
  constructor(names: string[], changed: () => void) {
    this.tabs = names.map((name, index) => {
      const [tabId, panelId] = [`tab-${index}`, `panel-${index}`];
      const button = h('button', { type: 'button', role: 'tab', id: tabId, 'aria-controls': panelId }, name);
      const panel = h('div', { role: 'tabpanel', id: panelId, tabindex: '0', 'aria-labelledby': tabId });
      button.addEventListener('click', () => {
        this.#choose(index);
        changed();
      });
      return { button, panel };
    });
    this.list.append(...this.tabs.map(({ button }) => button));
    this.list.addEventListener('keydown', (event) => this.#key(event));
    this.#choose(0);
  }

  get chosen(): number {
    return this.#chosen;
  }

  #choose(chosen: number): void {
    this.#chosen = chosen;
    for (const [index, { button, panel }] of this.tabs.entries()) {
      button.setAttribute('aria-selected', String(index === chosen));
      button.tabIndex = index === chosen ? 0 : -1;
      panel.hidden = index !== chosen;
    }
  }

  #key(event: KeyboardEvent): void {
    const count = this.tabs.length;
    const targets = new Map([
      ['ArrowRight', (this.#chosen + 1) % count],
      ['ArrowLeft', (this.#chosen + count - 1) % count],
      ['Home', 0],
      ['End', count - 1],
    ]);
    const target = targets.get(event.key);
    if (target === undefined) return;
    event.preventDefault();
    const { button } = this.tabs.at(target)!;
    button.focus();
    button.click();
  }
}
