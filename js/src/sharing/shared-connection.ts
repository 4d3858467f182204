// One WebSocket for all frames of a page at one address. The frame that obtains the lock leads and holds the WebSocket; the
// others have slots on it. When the leader leaves, the next frame in line leads, and every frame's core reconnects and
// resumes.

import { CloseCode } from '../transport/close-codes.js';
import type { Connect, Socket } from '../transport/socket.js';
import { browserOf } from './browser.js';
import { FollowerSocket } from './follower-socket.js';
import { Leader } from './leader.js';
import type { Browser, ToPage } from './messages.js';
import { Multiplexer } from './multiplexer.js';
import { SharedSocket, type SlotSource } from './shared-socket.js';

/** The time that a frame without sockets keeps leading or waiting for the lead, since most sockets come back at once. */
const IDLE_MS = 1_000;

/** This frame's part in the page's WebSocket at one address. */
export class Share implements SlotSource {
  readonly #browser: Browser;
  readonly #lock: string;
  readonly #page;
  readonly #multiplexer: Multiplexer;
  readonly #leader: Leader;
  readonly #sockets = new Set<SharedSocket>();
  /** Wakes the cores of this frame, which can reconnect at once. */
  readonly #wakes = new Set<() => void>();
  readonly #ended: () => void;
  readonly #removeLeaveListener: () => void;
  #leads: boolean | undefined;
  readonly #waitingForLead = new AbortController();
  #resign: () => void = () => {};
  #isOver = false;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(browser: Browser, connect: Connect, url: string, protocol: string, ended: () => void) {
    this.#browser = browser;
    this.#lock = `${protocol}/${url}`;
    this.#ended = ended;
    this.#multiplexer = new Multiplexer(connect, url, protocol, () => this.#endIfIdle());
    this.#leader = new Leader(browser, this.#multiplexer);
    this.#page = browser.channel(this.#lock);
    this.#page.onmessage = ({ data }) => this.#received(data as ToPage);
    this.#removeLeaveListener = browser.onLeave(() => this.#end());
    this.#standForLead();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get leads(): boolean | undefined {
    return this.#leads;
  }

  add(socket: SharedSocket, wake: () => void): void {
    clearTimeout(this.#idleTimer);
    this.#sockets.add(socket);
    this.#wakes.add(wake);
    if (this.#leads !== undefined) queueMicrotask(() => socket.connect());
  }

  /** Forgets a core of this frame, which is closed. */
  forget(wake: () => void): void {
    this.#wakes.delete(wake);
  }

  remove(socket: SharedSocket): void {
    this.#sockets.delete(socket);
    this.#endIfIdle();
  }

  takeSlot(): Socket {
    return this.#multiplexer.takeSlot();
  }

  follow(refused: () => void): FollowerSocket {
    return new FollowerSocket(this.#browser, (name) => this.requestSlot(name), refused);
  }

  requestSlot(name: string): void {
    if (!this.#isOver) this.#page.postMessage({ type: 'asks', name } satisfies ToPage);
  }

  /** Leads at once if no frame does, and otherwise waits for the lead. */
  #standForLead(): void {
    const { locks } = this.#browser;
    const lead = () => {
      if (this.#isOver) return undefined;
      const resigned = new Promise<void>((resolve) => (this.#resign = resolve));
      this.#lead();
      return resigned;
    };
    locks
      .request(this.#lock, { ifAvailable: true }, (lock) => {
        if (lock) return lead();
        if (this.#isOver) return undefined;
        this.#leads = false;
        for (const socket of [...this.#sockets]) socket.connect();
        locks.request(this.#lock, { signal: this.#waitingForLead.signal }, lead).catch(() => {});
        return undefined;
      })
      .catch(() => {
        for (const socket of [...this.#sockets]) socket.connectAlone();
      });
  }

  #lead(): void {
    const hasFollowed = this.#leads === false;
    this.#leads = true;
    this.#page.postMessage({ type: 'leads' } satisfies ToPage);
    if (hasFollowed) this.#leaderChanged();
    else for (const socket of [...this.#sockets]) socket.connect();
  }

  #leaderChanged(): void {
    for (const socket of [...this.#sockets]) socket.leaderChanged();
    // A core learns of its loss in microtasks, and starts to wait for its retry only then. The wake must follow that.
    setTimeout(() => {
      for (const wake of [...this.#wakes]) wake();
    });
  }

  #received(message: ToPage): void {
    if (message.type === 'asks') {
      if (this.#leads) this.#leader.requested(message.name);
    } else if (!this.#leads) {
      this.#leaderChanged();
    }
  }

  /** Ends this part after a while without sockets. */
  #endIfIdle(): void {
    clearTimeout(this.#idleTimer);
    if (this.#isOver || this.#sockets.size > 0 || this.#multiplexer.isUsed) return;
    this.#idleTimer = setTimeout(() => this.#end(), IDLE_MS);
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#idleTimer);
    this.#removeLeaveListener();
    this.#ended();
    this.#waitingForLead.abort();
    if (this.#leads) this.#multiplexer.shut(CloseCode.Normal);
    // A page that is restored from the back/forward cache has lost its slots.
    for (const socket of [...this.#sockets]) socket.shareEnded();
    this.#resign();
    this.#page.close();
  }
}

const knownShares = new Map<string, Share>();

/** A connect function through the page's WebSocket. `forget` releases the core that used it. */
export type SharedConnect = Connect & { forget(): void };

/**
 * Returns a connect function through the page's WebSocket, or `connect` itself if the browser lacks a feature. `wake` is
 * called when the leader has changed: the core can reconnect at once.
 */
export function sharedThrough(
  connect: Connect,
  wake: () => void,
  browser: Browser | undefined = browserOf(),
  shares: Map<string, Share> = knownShares,
): SharedConnect {
  if (!browser) {
    return Object.assign<Connect, { forget(): void }>((...to) => connect(...to), { forget: () => {} });
  }
  const shared: Connect = (url, protocol) => {
    const key = `${protocol} ${url}`;
    let share = shares.get(key);
    if (!share || share.isOver) {
      share = new Share(browser, connect, url, protocol, () => shares.delete(key));
      shares.set(key, share);
    }
    const socket = new SharedSocket(share, () => connect(url, protocol));
    share.add(socket, wake);
    return socket;
  };
  return Object.assign(shared, { forget: () => shares.forEach((share) => share.forget(wake)) });
}
