// A core that records its calls and lets a test deliver messages and notices. It implements the interface of the real core.

import type {
  ChannelSpec,
  Client,
  ClientOptions,
  CoreModule,
  Host,
  Meta,
  Notice,
  PauseReason,
  Published,
  PublishOptions,
  SubscribeOptions,
} from '../../src/core/browser-core.js';
import type { CoreSources } from '../../src/core/load.js';

interface Subscribed {
  channel: ChannelSpec;
  options: SubscribeOptions;
  onMessage: (payload: string, meta: Meta) => void;
  onNotice: (notice: Notice) => void;
}

export class FakeClient implements Client {
  state = 'idle';
  closed = false;
  readonly subscriptions = new Map<number, Subscribed>();
  readonly published: { channel: ChannelSpec; event: string; payload: string }[] = [];
  /** The data with which the page entered, and whether it signs; undefined when it left. */
  readonly entered: [number, string | undefined, boolean][] = [];
  readonly refreshed: [number, string][] = [];
  /** The results of the host's `token`: tokens and errors. */
  readonly provided: [number, unknown][] = [];
  /** The results of the host's `open`. */
  readonly opened: [number, Uint8Array | undefined][] = [];
  readonly lifecycleEvents: string[] = [];
  /** The limits and ids of publications, and the withdrawn ones. */
  readonly calls: PublishOptions[] = [];
  readonly withdrawn: number[] = [];
  /** The promise that delays the result of a call. */
  answer: Promise<unknown> | undefined;
  /** The error with which the next call rejects. */
  failure: unknown;

  constructor(
    readonly host: Host,
    readonly options: ClientOptions,
  ) {}

  async subscribe(
    channel: ChannelSpec,
    options: SubscribeOptions,
    onMessage: Subscribed['onMessage'],
    onNotice: Subscribed['onNotice'],
  ): Promise<number> {
    this.#fail();
    const id = this.subscriptions.size + 1;
    const { started, ...rest } = options;
    this.subscriptions.set(id, { channel, options: rest, onMessage, onNotice });
    started?.(id);
    await this.answer;
    return id;
  }

  async unsubscribe(id: number): Promise<void> {
    this.subscriptions.delete(id);
  }

  async enter(id: number, data: string | undefined, signed: boolean): Promise<void> {
    this.#fail();
    this.entered.push([id, data, signed]);
    await this.answer;
  }

  async publish(
    channel: ChannelSpec,
    event: string,
    payload: string,
    options: PublishOptions,
  ): Promise<Published> {
    this.#fail();
    this.published.push({ channel, event, payload });
    this.calls.push(options);
    options.started?.(this.published.length);
    await this.answer;
    return { eventId: '0000000000000001-1', timestamp: 1_700_000_000_123 };
  }

  withdraw(publish: number): void {
    this.withdrawn.push(publish);
  }

  async refreshToken(id: number, token: string): Promise<void> {
    this.refreshed.push([id, token]);
  }

  provideToken(renewal: number, token: string): void {
    this.provided.push([renewal, token]);
  }

  failToken(renewal: number, error: unknown): void {
    this.provided.push([renewal, error]);
  }

  provideOpened(opening: number, plaintext: Uint8Array | undefined): void {
    this.opened.push([opening, plaintext]);
  }

  provideVerified(): void {}

  provideSigned(): void {}

  readonly repeatedMessages = 0;

  pause(reason: PauseReason): void {
    this.lifecycleEvents.push(reason);
  }

  wake(): void {
    this.lifecycleEvents.push('awake');
  }

  close(): void {
    this.closed = true;
  }

  #fail(): void {
    if (this.failure !== undefined) throw this.failure;
  }
}

/** Returns the sources of the core, and the clients that were created so far. */
export function fakeCore(): { sources: CoreSources; clients: FakeClient[]; loads: string[] } {
  const clients: FakeClient[] = [];
  const loads: string[] = [];
  const module: CoreModule = {
    Client: class extends FakeClient {
      constructor(host: Host, options: ClientOptions) {
        super(host, options);
        clients.push(this);
      }
    },
  };
  const load = (kind: string) => async () => {
    loads.push(kind);
    return module;
  };
  return { sources: { wasm: load('wasm'), js: load('js') }, clients, loads };
}

export function meta(over: Partial<Meta> = {}): Meta {
  return {
    eventId: '0000000000000001-1',
    timestamp: 2,
    publishedAt: 1,
    event: '',
    channel: 'channel',
    ...over,
  };
}
