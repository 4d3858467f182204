// One socket for all frames of a page: whoever gets the lock leads and holds it, the others have places on it. The next
// in line leads when the leader is gone; every frame's core then comes back and resumes where it was.

import type { Closed, Connect, Socket } from '../transport/socket.js';
import { FollowedSocket } from './follower.js';
import { Leader } from './leader.js';
import type { Browser, ToPage } from './messages.js';
import { Multiplexer } from './multiplexer.js';
import { browserOf } from './browser.js';

const LOST = 1006;
/** How long a frame that needs no socket leads or stands in line all the same: most come back at once. */
const LINGER_MS = 1_000;

/** What this frame has to do with the page's socket at one address. */
export class Share {
  readonly #browser: Browser;
  readonly #lock: string;
  readonly #page;
  readonly #multiplexer: Multiplexer;
  readonly #leader: Leader;
  readonly #sockets = new Set<SharedSocket>();
  /** The cores of this frame, to be told when the way back is free. */
  readonly #wakes = new Set<() => void>();
  readonly #ended: () => void;
  readonly #stay: () => void;
  #leads: boolean | undefined;
  #standing = new AbortController();
  #resign: () => void = () => {};
  #isOver = false;
  #lingering: ReturnType<typeof setTimeout> | undefined;

  constructor(browser: Browser, connect: Connect, url: string, protocol: string, ended: () => void) {
    this.#browser = browser;
    this.#lock = `${protocol}/${url}`;
    this.#ended = ended;
    this.#multiplexer = new Multiplexer(connect, url, protocol, () => this.#settle());
    this.#leader = new Leader(browser, this.#multiplexer);
    this.#page = browser.channel(this.#lock);
    this.#page.onmessage = ({ data }) => this.#heard(data as ToPage);
    this.#stay = browser.onLeave(() => this.#end());
    this.#stand();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether this frame leads; undefined until that is known. */
  get leads(): boolean | undefined {
    return this.#leads;
  }

  add(socket: SharedSocket, wake: () => void): void {
    clearTimeout(this.#lingering);
    this.#sockets.add(socket);
    this.#wakes.add(wake);
    if (this.#leads !== undefined) queueMicrotask(() => socket.seat());
  }

  /** A core of this frame is closed. */
  forget(wake: () => void): void {
    this.#wakes.delete(wake);
  }

  remove(socket: SharedSocket): void {
    this.#sockets.delete(socket);
    this.#settle();
  }

  place(): Socket {
    return this.#multiplexer.place();
  }

  follow(refused: () => void): FollowedSocket {
    return new FollowedSocket(this.#browser, (name) => this.ask(name), refused);
  }

  ask(name: string): void {
    if (!this.#isOver) this.#page.postMessage({ type: 'asks', name } satisfies ToPage);
  }

  /** Tries to lead at once, and otherwise stands in line. */
  #stand(): void {
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
        for (const socket of [...this.#sockets]) socket.seat();
        locks.request(this.#lock, { signal: this.#standing.signal }, lead).catch(() => {});
        return undefined;
      })
      .catch(() => {
        for (const socket of [...this.#sockets]) socket.goAlone();
      });
  }

  #lead(): void {
    const followed = this.#leads === false;
    this.#leads = true;
    this.#page.postMessage({ type: 'leads' } satisfies ToPage);
    if (followed) this.#changed();
    else for (const socket of [...this.#sockets]) socket.seat();
  }

  #changed(): void {
    for (const socket of [...this.#sockets]) socket.leaderChanged();
    // A core hears of its loss in microtasks, and only after that does it wait for a time to come back.
    setTimeout(() => {
      for (const wake of [...this.#wakes]) wake();
    });
  }

  #heard(message: ToPage): void {
    if (message.type === 'asks') {
      if (this.#leads) this.#leader.asked(message.name);
    } else if (!this.#leads) {
      this.#changed();
    }
  }

  /** Nobody leads or stands in line for nothing. */
  #settle(): void {
    clearTimeout(this.#lingering);
    if (this.#isOver || this.#sockets.size > 0 || this.#multiplexer.isUsed) return;
    this.#lingering = setTimeout(() => this.#end(), LINGER_MS);
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#lingering);
    this.#stay();
    this.#ended();
    this.#standing.abort();
    if (this.#leads) this.#multiplexer.shut(1000);
    // A page that comes back from the browser's cache has lost its places.
    for (const socket of [...this.#sockets]) socket.shareEnded();
    this.#resign();
    this.#page.close();
  }
}

/** A core's socket: a place on the page's, or its own where that cannot be had. */
class SharedSocket implements Socket {
  binaryType = 'arraybuffer';
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  readonly #share: Share;
  readonly #direct: () => Socket;
  #inner: Socket | undefined;
  #isClosed = false;

  constructor(share: Share, direct: () => Socket, wake: () => void) {
    this.#share = share;
    this.#direct = direct;
    share.add(this, wake);
  }

  /** It is known who leads. */
  seat(): void {
    if (this.#isClosed || this.#inner) return;
    if (this.#share.leads) this.#use(() => this.#share.place());
    else this.#use(() => this.#share.follow(() => this.goAlone()));
  }

  /** Another frame leads, or this one: what there was is gone. */
  leaderChanged(): void {
    const inner = this.#inner;
    if (!(inner instanceof FollowedSocket)) return;
    if (!inner.isAsking) return inner.lost();
    if (!this.#share.leads) return this.#share.ask(inner.name);
    inner.close();
    this.#inner = undefined;
    this.seat();
  }

  /** This frame is frozen or left, and has no place any more. */
  shareEnded(): void {
    this.#inner?.close();
    this.#closed({ code: LOST });
  }

  /** Sharing did not work out. */
  goAlone(): void {
    if (this.#isClosed) return;
    this.#share.remove(this);
    this.#use(this.#direct);
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#inner?.send(bytes);
  }

  close(code?: number): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#inner?.close(code);
    this.#share.remove(this);
  }

  #use(open: () => Socket): void {
    let inner: Socket;
    try {
      inner = open();
    } catch {
      // The page's policy forbids it.
      return this.#closed({ code: LOST });
    }
    this.#inner = inner;
    inner.binaryType = this.binaryType;
    inner.onopen = (transport) => this.onopen?.(transport);
    inner.onmessage = (event) => this.onmessage?.(event);
    inner.onclose = (event) => this.#closed(event);
  }

  #closed(event: Closed): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#share.remove(this);
    this.onclose?.(event);
  }
}

const shares = new Map<string, Share>();

/** `forget` lets go of the core that connected. */
export type SharedConnect = Connect & { forget(): void };

/**
 * Connects through the page's socket, or directly where the browser lacks what that takes. `wake` is called when the leader
 * changed: the way back is free at once.
 */
export function sharedThrough(
  connect: Connect,
  wake: () => void,
  browser: Browser | undefined = browserOf(),
  known: Map<string, Share> = shares,
): SharedConnect {
  if (!browser)
    return Object.assign<Connect, { forget(): void }>((...to) => connect(...to), { forget: () => {} });
  const shared: Connect = (url, protocol) => {
    const key = `${protocol} ${url}`;
    let share = known.get(key);
    if (!share || share.isOver) {
      share = new Share(browser, connect, url, protocol, () => known.delete(key));
      known.set(key, share);
    }
    return new SharedSocket(share, () => connect(url, protocol), wake);
  };
  return Object.assign(shared, { forget: () => known.forEach((share) => share.forget(wake)) });
}
