// The content of the element for one client: the bar, which is always visible, and the tabs below it.

import { connectionView } from './connection-view.js';
import { h, setText } from './dom.js';
import { messagesView } from './messages-view.js';
import { publicationsView } from './publications-view.js';
import type { Recorder } from './recorder.js';
import { subscriptionsView } from './subscriptions-view.js';
import { Tabs } from './tabs.js';
import { counted } from './text.js';

export class Panel {
  readonly element: HTMLElement;
  readonly #recorder: Recorder;
  readonly #toggle = h('button', { type: 'button', class: 'bar', 'aria-controls': 'content' });
  readonly #summary = h('span', { class: 'note' });
  readonly #content: HTMLElement;
  readonly #status = h('p', { class: 'unseen', role: 'status' });
  readonly #tabs = new Tabs(['Connection', 'Subscriptions', 'Messages', 'Publications'], () => this.show());
  readonly #views: ((recorder: Recorder) => void)[];
  #isOpen = false;

  /** `toggled` is called when the user opens or collapses the panel. */
  constructor(recorder: Recorder, toggled: (open: boolean) => void) {
    this.#recorder = recorder;
    const [connection, subscriptions, messages, publications] = this.#tabs.tabs.map(({ panel }) => panel) as [
      HTMLElement,
      HTMLElement,
      HTMLElement,
      HTMLElement,
    ];
    this.#views = [
      connectionView(connection),
      subscriptionsView(subscriptions, recorder),
      messagesView(messages, recorder),
      publicationsView(publications, recorder),
    ];
    this.#toggle.append(h('i'), h('b', {}, 'Sealwire'), this.#summary);
    this.#toggle.addEventListener('click', () => toggled(!this.#isOpen));
    const panels = this.#tabs.tabs.map(({ panel }) => panel);
    this.#content = h('div', { id: 'content' }, this.#tabs.list, ...panels);
    const name = { 'aria-label': 'Sealwire devtools' };
    this.element = h('section', name, this.#toggle, this.#content, this.#status);
    this.element.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || !this.#isOpen) return;
      // A dialog of the app stays open.
      event.stopPropagation();
      toggled(false);
      this.#toggle.focus();
    });
    this.open(false);
  }

  /** Opens or collapses the panel. */
  open(isOpen: boolean): void {
    this.#isOpen = isOpen;
    this.#toggle.setAttribute('aria-expanded', String(isOpen));
    this.#content.hidden = !isOpen;
    this.show();
  }

  /** Shows the current facts. Only the chosen tab of an open panel is brought up to date. */
  show(): void {
    const { connection, subscriptions, received, problem } = this.#recorder;
    const { state, transport } = connection;
    const live = subscriptions.filter(({ subscription }) => subscription.state.current !== 'ended').length;
    const facts = [
      state,
      transport && (transport === 'http' ? 'HTTP' : 'WebSocket'),
      counted(live, 'subscription'),
      counted(received, 'message'),
    ];
    this.#toggle.dataset['state'] = state;
    setText(this.#summary, facts.filter(Boolean).join(' · '));
    // A screen reader hears of the connection and of problems, not of each message.
    setText(
      this.#status,
      `Sealwire is ${state}.${problem ? ` Last error: ${problem.code}, ${problem.source}.` : ''}`,
    );
    if (this.#isOpen) this.#views.at(this.#tabs.chosen)?.(this.#recorder);
  }
}
