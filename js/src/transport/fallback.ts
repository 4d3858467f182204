// Connects by WebSocket, and over HTTP where the network lets no WebSocket through. What that takes is loaded only then.

import { connectDirectly, type Connect, type Socket, type Transport } from './socket.js';

/** How long a WebSocket may take to open, and then to bring anything, where none has worked on this page. */
const PATIENCE_MS = 5_000;
/** How long no WebSocket is tried where the network let none through. */
const HTTP_MS = 10 * 60_000;
/** Where WebSockets have worked, one that fails says little about the network, and so many in a row something. */
const FAILURES = 3;
const LOST = 1006;

/** How to connect; tests put others in their place. */
export interface Ways {
  websocket: Connect;
  http(): Promise<Connect>;
}

const ways: Ways = {
  websocket: connectDirectly,
  http: async () => (await import('./streamed.js')).connectStreamed,
};

/** What is known about the way to one address. */
class Route {
  readonly #key: string;
  #httpUntil: number;
  #works = false;
  #failures = 0;

  constructor(url: string) {
    this.#key = `sealwire/http/${url}`;
    this.#httpUntil = Number(stored(this.#key)) || 0;
  }

  /** A clock that was set back does not prolong it. */
  get isHttp(): boolean {
    const left = this.#httpUntil - Date.now();
    return left > 0 && left <= HTTP_MS;
  }

  /** Zero where a WebSocket has worked: then its connection's own patience is enough. */
  get patienceMs(): number {
    return this.#works ? 0 : PATIENCE_MS;
  }

  worked(): void {
    this.#works = true;
    this.#failures = 0;
  }

  /** No WebSocket came about, or nothing came over it. Whether to try HTTP. */
  failed(): boolean {
    this.#failures += 1;
    return this.#failures % (this.#works ? FAILURES : 1) === 0;
  }

  http(works: boolean): void {
    this.#httpUntil = works ? Date.now() + HTTP_MS : 0;
    store(this.#key, this.#httpUntil);
  }
}

/** Frames of other sites may have no storage. */
function stored(key: string): string | null {
  try {
    return sessionStorage.getItem(key);
  } catch {
    return null;
  }
}

function store(key: string, until: number): void {
  try {
    sessionStorage.setItem(key, String(until));
  } catch {
    // The next page finds out by itself.
  }
}

class FallbackSocket implements Socket {
  binaryType = 'arraybuffer';
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  readonly #route: Route;
  readonly #http: () => Promise<Socket>;
  #inner: Socket | undefined;
  #patience: ReturnType<typeof setTimeout> | undefined;
  /** A WebSocket that has not proven itself. */
  #onTrial = false;
  #isOver = false;

  constructor(route: Route, websocket: () => Socket, http: () => Promise<Socket>) {
    this.#route = route;
    this.#http = http;
    if (route.isHttp) this.#overHttp();
    else this.#byWebSocket(websocket());
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#inner?.send(bytes);
  }

  close(code?: number): void {
    if (this.#isOver) return;
    this.#end();
    this.#inner?.close(code);
  }

  #byWebSocket(socket: Socket): void {
    let isOpen = false;
    this.#onTrial = true;
    this.#use(socket, 'websocket', {
      opened: () => {
        isOpen = true;
        this.#wait(() => this.#failed(true));
      },
      heard: () => {
        if (!this.#onTrial) return;
        this.#onTrial = false;
        clearTimeout(this.#patience);
        this.#route.worked();
      },
      closed: (code) => (this.#onTrial ? this.#failed(isOpen) : this.#closed(code)),
    });
    this.#wait(() => this.#failed(false));
  }

  #wait(then: () => void): void {
    clearTimeout(this.#patience);
    const { patienceMs } = this.#route;
    if (patienceMs) this.#patience = setTimeout(then, patienceMs);
  }

  /** What was sent over one that opened is lost, so that one has to close. */
  #failed(wasOpen: boolean): void {
    clearTimeout(this.#patience);
    this.#onTrial = false;
    const inner = this.#inner;
    if (inner) {
      inner.onopen = inner.onmessage = inner.onclose = null;
      inner.close();
    }
    const tryHttp = this.#route.failed();
    if (tryHttp && wasOpen) this.#route.http(true);
    if (tryHttp && !wasOpen) this.#overHttp();
    else this.#closed(LOST);
  }

  #overHttp(): void {
    let opened = false;
    const closed = (code: number) => {
      if (!opened) this.#route.http(false);
      this.#closed(code);
    };
    this.#http().then(
      (socket) => {
        if (this.#isOver) return socket.close();
        this.#use(socket, 'http', {
          opened: () => {
            opened = true;
            this.#route.http(true);
          },
          heard: () => {},
          closed,
        });
      },
      () => this.#isOver || closed(LOST),
    );
  }

  #use(
    inner: Socket,
    transport: Transport,
    tell: { opened(): void; heard(): void; closed(code: number): void },
  ): void {
    this.#inner = inner;
    inner.binaryType = this.binaryType;
    inner.onopen = () => {
      tell.opened();
      this.onopen?.(transport);
    };
    inner.onmessage = (event) => {
      tell.heard();
      this.onmessage?.(event);
    };
    inner.onclose = ({ code }) => tell.closed(code);
  }

  #closed(code: number): void {
    if (this.#isOver) return;
    this.#end();
    this.onclose?.({ code });
  }

  #end(): void {
    this.#isOver = true;
    clearTimeout(this.#patience);
  }
}

const routes = new Map<string, Route>();

export function withFallback(by: Ways = ways, known: Map<string, Route> = routes): Connect {
  return (url, protocol) => {
    let route = known.get(url);
    if (!route) known.set(url, (route = new Route(url)));
    return new FallbackSocket(
      route,
      () => by.websocket(url, protocol),
      async () => (await by.http())(url, protocol),
    );
  };
}
