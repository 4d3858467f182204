// Connects by WebSocket, and over HTTP if the network lets no WebSocket through. The code for HTTP is loaded at its first
// use.

import { messageOf } from '../errors/failure-of.js';
import { CloseCode } from './close-codes.js';
import { blockedBoth, blockedOne, originOf, watchPolicy, type PolicyWatch } from './policy.js';
import { Route } from './route.js';
import { detach, SocketBase, type Interceptors } from './socket-base.js';
import { connectDirectly, type Closed, type Connect, type Failure, type Socket } from './socket.js';

/** The time for a WebSocket to open, and then to receive data, if none has worked on this page. */
const WEBSOCKET_TIMEOUT_MS = 5_000;
/** The time after which a page whose WebSocket has received nothing asks whether an earlier page of the tab uses HTTP. */
const RECALL_MS = 100;
/** A WebSocket that failed later than this may have met a stalled relay. */
const SLOW_MS = 2_000;
/** The duration of a connection over HTTP if the relay may only have been slow. The jitter adds up to as much again. */
const RETURN_MS = 60_000;

/** The functions that connect. Tests replace them. */
export interface Transports {
  websocket: Connect;
  http(): Promise<Connect>;
  /** The maximum duration of one attempt, in milliseconds; half of it is for the WebSocket. */
  timeoutMs?: number | undefined;
}

const defaults: Transports = {
  websocket: connectDirectly,
  http: async () => (await import('./sse-socket.js')).connectOverSse,
};

class FallbackSocket extends SocketBase {
  readonly #url: string;
  readonly #route: Route;
  readonly #timeoutMs: number;
  readonly #connectHttp: () => Promise<Socket>;
  readonly #policy: PolicyWatch | undefined = watchPolicy();
  readonly #startedAt = Date.now();
  #inner: Socket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #recallTimer: ReturnType<typeof setTimeout> | undefined;
  /** True if the inner socket is a WebSocket that has not received data yet. */
  #isUnproven = false;
  /** True if this attempt has given up its WebSocket and HTTP has not opened yet. */
  #isFallingBack = false;
  /** The reason for which no WebSocket could be created. */
  #creationFailure: string | undefined;

  constructor(
    url: string,
    route: Route,
    timeoutMs: number,
    connectWebSocket: () => Socket,
    connectHttp: () => Promise<Socket>,
  ) {
    super();
    this.#url = url;
    this.#route = route;
    this.#timeoutMs = Math.min(WEBSOCKET_TIMEOUT_MS, timeoutMs / 2);
    this.#connectHttp = connectHttp;
    const websocket = route.takeHttp() ? undefined : this.#create(connectWebSocket);
    if (websocket) this.#useWebSocket(websocket);
    else void this.#useHttp();
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#inner?.send(bytes);
  }

  close(code?: number): void {
    if (this.isOver) return;
    // The time of this attempt is up, so the next attempt has all of its time for HTTP.
    if (this.#isFallingBack) this.#route.tryHttpNext();
    this.isOver = true;
    this.release();
    this.#inner?.close(code);
  }

  protected override release(): void {
    this.#policy?.end();
    this.#stopTimers();
  }

  /** Returns undefined if the environment has no WebSocket, as Node 20, or if the page's policy forbids it. */
  #create(connectWebSocket: () => Socket): Socket | undefined {
    try {
      return connectWebSocket();
    } catch (thrown) {
      this.#creationFailure = messageOf(thrown);
      return undefined;
    }
  }

  #useWebSocket(websocket: Socket): void {
    let isOpen = false;
    this.#isUnproven = true;
    this.#use(websocket, 'websocket', {
      opened: () => {
        isOpen = true;
        this.#startTimers(true);
      },
      received: () => {
        if (!this.#isUnproven) return;
        this.#isUnproven = false;
        this.#stopTimers();
        this.#route.worked();
      },
      closed: ({ code, failure }) => {
        if (!this.#isUnproven) return this.finish({ code, failure });
        this.#websocketFailed(isOpen, Date.now() - this.#startedAt > SLOW_MS);
      },
    });
    this.#startTimers(false);
  }

  #startTimers(isOpen: boolean): void {
    this.#stopTimers();
    if (this.#route.works) return;
    this.#recallTimer = setTimeout(
      () => this.#route.recallsHttp() && this.#websocketFailed(isOpen, false),
      RECALL_MS,
    );
    this.#timer = setTimeout(() => this.#websocketFailed(isOpen, true), this.#timeoutMs);
  }

  #stopTimers(): void {
    clearTimeout(this.#recallTimer);
    clearTimeout(this.#timer);
  }

  /** Falls back to HTTP. If the WebSocket was open, sent messages may be lost: this socket ends and the next one uses HTTP. */
  #websocketFailed(wasOpen: boolean, wasSlow: boolean): void {
    this.#stopTimers();
    this.#isUnproven = false;
    const inner = this.#inner;
    if (inner) {
      detach(inner);
      inner.close();
    }
    if (!this.#route.failed()) return this.finish({ code: CloseCode.Lost });
    if (wasSlow) this.#route.wasSlow();
    if (!wasOpen) return void this.#useHttp();
    this.#route.tryHttpNext();
    this.finish({ code: CloseCode.Lost });
  }

  async #useHttp(): Promise<void> {
    let isOpen = false;
    this.#isFallingBack = true;
    const closed = ({ code, failure }: Closed) => {
      this.#isFallingBack = false;
      if (isOpen) return this.finish({ code, failure });
      this.#route.httpFailed();
      this.#explain({ code, failure });
    };
    try {
      const socket = await this.#connectHttp();
      if (this.isOver) return socket.close();
      this.#use(socket, 'http', {
        opened: () => {
          isOpen = true;
          this.#isFallingBack = false;
          if (!this.#route.httpWorked()) this.#returnLater(socket);
        },
        closed,
      });
    } catch (thrown) {
      const message = `the transport over HTTP could not be loaded: ${messageOf(thrown)}`;
      if (!this.isOver) closed({ code: CloseCode.Lost, failure: { code: 'UNREACHABLE', message } });
    }
  }

  /** Returns to a WebSocket after a while, since the relay may only have been slow. Jitter spreads the clients. */
  #returnLater(socket: Socket): void {
    const delay = RETURN_MS * (1 + Math.random());
    this.#timer = setTimeout(() => {
      socket.close();
      this.finish({ code: CloseCode.GoingAway });
    }, delay);
  }

  /** Ends with the reason for which neither transport opened. The relay's own refusal over HTTP takes precedence. */
  #explain({ code, failure }: Closed): void {
    if (failure && failure.code !== 'UNREACHABLE') return this.finish({ code, failure });
    const policy = this.#policy;
    if (!policy) return this.finish({ code, failure: this.#unreachable(failure, false, false) });
    const [websocket, http] = this.#origins();
    void Promise.all([policy.blocks(websocket), policy.blocks(http)]).then(
      ([blocksWebSocket, blocksHttp]) => {
        const blocksBoth = blocksWebSocket && blocksHttp;
        this.finish({
          code,
          failure: blocksBoth
            ? blockedBoth(websocket, http)
            : this.#unreachable(failure, blocksWebSocket, blocksHttp),
        });
      },
    );
  }

  #origins(): [websocket: string, http: string] {
    return [originOf(this.#url), originOf(this.#url.replace(/^ws/, 'http'))];
  }

  #unreachable(
    failure: Failure | undefined,
    blocksWebSocket: boolean,
    blocksHttp: boolean,
  ): Failure | undefined {
    const [websocket, http] = this.#origins();
    const reasons = [
      blocksWebSocket ? blockedOne(websocket) : this.#creationFailure,
      blocksHttp ? blockedOne(http) : failure?.message,
    ].filter((reason) => reason !== undefined);
    if (reasons.length === 0) return undefined;
    return { code: 'UNREACHABLE', message: `No connection to ${websocket}: ${reasons.join('; ')}` };
  }

  #use(inner: Socket, transport: 'websocket' | 'http', interceptors: Interceptors): void {
    this.#inner = inner;
    this.forward(inner, interceptors, transport);
  }
}

/** The routes of this page, by the address of the relay. */
const knownRoutes = new Map<string, Route>();

/** Returns a connect function that falls back to HTTP. */
export function withFallback(
  given: Partial<Transports> = {},
  routes: Map<string, Route> = knownRoutes,
): Connect {
  const { websocket, http, timeoutMs = Infinity } = { ...defaults, ...given };
  return (url, protocol) => {
    let route = routes.get(url);
    if (!route) routes.set(url, (route = new Route(url)));
    return new FallbackSocket(
      url,
      route,
      timeoutMs,
      () => websocket(url, protocol),
      async () => (await http())(url, protocol),
    );
  };
}
