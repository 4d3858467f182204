// The element <sealwire-devtools>: a shadow root with the panel of one client.

import type { ObservedConnection } from '../browser/observation.js';
import type { Realtime } from '../browser/types.js';
import { existing } from '../process-wide.js';
import { invalid } from './invalid.js';
import { Panel } from './panel.js';
import { Recorder } from './recorder.js';
import { addStyle } from './style.js';

/** A client of `sealwire`, with or without a channel map. */
export type DevtoolsClient = Pick<Realtime, 'core' | 'transport' | 'state' | 'onStateChange'>;

const NAME = 'sealwire-devtools';

/** The class exists also where there are no elements, such as in a web worker: importing the entry must not fail there. */
const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement;

/**
 * The element `<sealwire-devtools>`, which shows a client while it is in the document. It records from then on, in the
 * memory of the page, and sends and stores nothing.
 *
 * @example
 * ```ts
 * await import('sealwire/devtools');
 * const devtools = document.createElement('sealwire-devtools');
 * devtools.client = realtime;
 * document.body.append(devtools);
 * ```
 */
export class DevtoolsElement extends Base {
  static readonly observedAttributes = ['open'];
  #client: DevtoolsClient | undefined;
  #recorder: Recorder | undefined;
  #panel: Panel | undefined;
  #frame: number | undefined;

  /**
   * The client to show. The default is `realtime`, the client of the page.
   *
   * @throws SealwireError with the code `INVALID_ARGUMENT` for anything but a client of this version of the package.
   */
  get client(): DevtoolsClient | undefined {
    return this.#client;
  }

  set client(client: DevtoolsClient | undefined) {
    if (client !== undefined) connectionOf(client);
    this.#client = client;
    if (!this.isConnected) return;
    this.#stop();
    this.#start();
  }

  /** True if the panel is open, and false if only its bar is visible. The attribute `open` has the same meaning. */
  get open(): boolean {
    return this.hasAttribute('open');
  }

  set open(open: boolean) {
    this.toggleAttribute('open', open);
  }

  /** Called by the browser. */
  connectedCallback(): void {
    // The property may have been set before the element was defined.
    if (Object.hasOwn(this, 'client')) {
      const { client } = this;
      Reflect.deleteProperty(this, 'client');
      this.client = client;
    }
    if (!this.#recorder) this.#start();
  }

  /** Called by the browser. */
  disconnectedCallback(): void {
    this.#stop();
  }

  /** Called by the browser. */
  attributeChangedCallback(): void {
    this.#panel?.open(this.open);
  }

  #start(): void {
    const connection = connectionOf(this.#client ?? pageClient());
    this.#recorder = new Recorder(connection, () => this.#changed());
    this.#panel = new Panel(this.#recorder, (open) => (this.open = open));
    const root = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
    root.replaceChildren(this.#panel.element);
    addStyle(root);
    this.#panel.open(this.open);
    this.#recorder.start();
  }

  #stop(): void {
    this.#recorder?.stop();
    this.#recorder = this.#panel = undefined;
  }

  /** Shows many changes at once, in the next frame. */
  #changed(): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#panel?.show();
    });
  }
}

/** Returns the client of the page. Throws if the app has not loaded it. */
export function pageClient(): DevtoolsClient {
  const client = existing<DevtoolsClient>('realtime');
  if (client) return client;
  throw invalid(
    'The page has no client: import { realtime } from the same version of sealwire first, or pass the client that createRealtime() returned.',
  );
}

function connectionOf(client: DevtoolsClient): ObservedConnection {
  const connection = existing<WeakMap<object, ObservedConnection>>('connections')?.get(client);
  if (connection) return connection;
  throw invalid(
    'The client must be realtime of sealwire, or returned by createRealtime() of the same version of the package.',
  );
}

/** Defines the element, unless another load of the package has, or there are no elements. */
export function defineElement(): void {
  if (typeof customElements === 'undefined' || customElements.get(NAME)) return;
  customElements.define(NAME, DevtoolsElement);
}

declare global {
  interface HTMLElementTagNameMap {
    'sealwire-devtools': DevtoolsElement;
  }
}
