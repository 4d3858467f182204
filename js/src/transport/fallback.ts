// Connects by WebSocket, and over HTTP where the network lets no WebSocket through. What that takes is loaded only then.

import { messageOf } from '../errors/failure-of.js';
import { blockedBoth, blockedOne, originOf, watchPolicy, type PolicyWatch } from './policy.js';
import { Route } from './route.js';
import {
  connectDirectly,
  type Closed,
  type Connect,
  type Failure,
  type Socket,
  type Transport,
} from './socket.js';

/** The time of a WebSocket to open, and then to bring anything, if none has worked on this page. */
const PATIENCE_MS = 5_000;
/** A WebSocket that was refused later than this may have met a relay that stood still. */
const QUICK_MS = 2_000;
/** The time of a connection on HTTP if the relay may only have been slow; it is spread over as much again. */
const RETURN_MS = 60_000;
const LOST = 1006;
/** The end of a connection that is to be made anew. */
const GOING_AWAY = 1001;

/** How to connect; tests put others in their place. */
export interface Ways {
  websocket: Connect;
  http(): Promise<Connect>;
  /** The longest time of one attempt, in milliseconds; half of it is for the WebSocket. */
  timeoutMs?: number | undefined;
}

const ways: Ways = {
  websocket: connectDirectly,
  http: async () => (await import('./streamed.js')).connectStreamed,
};

class FallbackSocket implements Socket {
  binaryType = 'arraybuffer';
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  readonly #url: string;
  readonly #route: Route;
  readonly #patienceMs: number;
  readonly #http: () => Promise<Socket>;
  readonly #policy: PolicyWatch | undefined = watchPolicy();
  readonly #started = Date.now();
  #inner: Socket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** A WebSocket that has not proven itself. */
  #onTrial = false;
  /** A WebSocket was given up in this attempt, and HTTP has not opened yet. */
  #isFallingBack = false;
  /** The reason for which no WebSocket could be made at all. */
  #thrown: string | undefined;
  #isOver = false;

  constructor(
    url: string,
    route: Route,
    timeoutMs: number,
    websocket: () => Socket,
    http: () => Promise<Socket>,
  ) {
    this.#url = url;
    this.#route = route;
    this.#patienceMs = Math.min(PATIENCE_MS, timeoutMs / 2);
    this.#http = http;
    const socket = route.takeHttp() ? undefined : this.#made(websocket);
    if (socket) this.#byWebSocket(socket);
    else void this.#overHttp();
  }

  /** Undefined if there is no WebSocket here, as in Node 20, or the page's policy forbids it. */
  #made(websocket: () => Socket): Socket | undefined {
    try {
      return websocket();
    } catch (thrown) {
      this.#thrown = messageOf(thrown);
      return undefined;
    }
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#inner?.send(bytes);
  }

  close(code?: number): void {
    if (this.#isOver) return;
    // The time of the attempt is over; the next one has all of it for HTTP.
    if (this.#isFallingBack) this.#route.tryHttpNext();
    this.#end();
    this.#inner?.close(code);
  }

  #byWebSocket(socket: Socket): void {
    let isOpen = false;
    this.#onTrial = true;
    this.#use(socket, 'websocket', {
      opened: () => {
        isOpen = true;
        this.#wait(() => this.#failed(true, true));
      },
      heard: () => {
        if (!this.#onTrial) return;
        this.#onTrial = false;
        clearTimeout(this.#timer);
        this.#route.worked();
      },
      closed: (event) => {
        if (this.#onTrial) this.#failed(isOpen, Date.now() - this.#started > QUICK_MS);
        else this.#closed(event);
      },
    });
    this.#wait(() => this.#failed(false, true));
  }

  #wait(then: () => void): void {
    clearTimeout(this.#timer);
    if (!this.#route.works) this.#timer = setTimeout(then, this.#patienceMs);
  }

  /** What was sent over one that opened is lost, so that one has to close. */
  #failed(wasOpen: boolean, wasSlow: boolean): void {
    clearTimeout(this.#timer);
    this.#onTrial = false;
    const inner = this.#inner;
    if (inner) {
      inner.onopen = inner.onmessage = inner.onclose = null;
      inner.close();
    }
    if (!this.#route.failed()) return this.#closed({ code: LOST });
    if (wasSlow) this.#route.doubted();
    if (!wasOpen) return void this.#overHttp();
    this.#route.tryHttpNext();
    this.#closed({ code: LOST });
  }

  async #overHttp(): Promise<void> {
    let isOpen = false;
    this.#isFallingBack = true;
    const closed = (event: Closed) => {
      this.#isFallingBack = false;
      if (isOpen) return this.#closed(event);
      this.#route.notOverHttp();
      this.#explain(event);
    };
    try {
      const socket = await this.#http();
      if (this.#isOver) return socket.close();
      this.#use(socket, 'http', {
        opened: () => {
          isOpen = true;
          this.#isFallingBack = false;
          if (!this.#route.overHttp()) this.#returnLater(socket);
        },
        heard: () => {},
        closed,
      });
    } catch (thrown) {
      const message = `the way over HTTP could not be loaded: ${messageOf(thrown)}`;
      if (!this.#isOver) closed({ code: LOST, failure: { code: 'UNREACHABLE', message } });
    }
  }

  /** The relay may only have been slow: a WebSocket is tried again, at another time than those of other clients. */
  #returnLater(socket: Socket): void {
    const after = RETURN_MS * (1 + Math.random());
    this.#timer = setTimeout(() => {
      socket.close();
      this.#closed({ code: GOING_AWAY });
    }, after);
  }

  /** Ends with the reason for which neither way came about. The relay's own word over HTTP is the best one there is. */
  #explain({ code, failure }: Closed): void {
    if (failure && failure.code !== 'UNREACHABLE') return this.#closed({ code, failure });
    const policy = this.#policy;
    if (!policy) return this.#closed({ code, failure: this.#unreachable(failure, false, false) });
    const [websocket, http] = this.#addresses();
    void Promise.all([policy.blocks(websocket), policy.blocks(http)]).then(([first, second]) => {
      const blocked = first && second;
      this.#closed({
        code,
        failure: blocked ? blockedBoth(websocket, http) : this.#unreachable(failure, first, second),
      });
    });
  }

  #addresses(): [websocket: string, http: string] {
    return [originOf(this.#url), originOf(this.#url.replace(/^ws/, 'http'))];
  }

  #unreachable(failure: Failure | undefined, first: boolean, second: boolean): Failure | undefined {
    const [websocket, http] = this.#addresses();
    const reasons = [
      first ? blockedOne(websocket) : this.#thrown,
      second ? blockedOne(http) : failure?.message,
    ].filter((reason) => reason !== undefined);
    if (reasons.length === 0) return undefined;
    return { code: 'UNREACHABLE', message: `No connection to ${websocket}: ${reasons.join('; ')}` };
  }

  #use(
    inner: Socket,
    transport: Transport,
    tell: { opened(): void; heard(): void; closed(event: Closed): void },
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
    inner.onclose = ({ code, failure }) => tell.closed({ code, failure });
  }

  #closed(event: Closed): void {
    if (this.#isOver) return;
    this.#end();
    this.onclose?.(event);
  }

  #end(): void {
    this.#isOver = true;
    this.#policy?.end();
    clearTimeout(this.#timer);
  }
}

const routes = new Map<string, Route>();

export function withFallback(by: Partial<Ways> = {}, known: Map<string, Route> = routes): Connect {
  const { websocket, http, timeoutMs = Infinity } = { ...ways, ...by };
  return (url, protocol) => {
    let route = known.get(url);
    if (!route) known.set(url, (route = new Route(url)));
    return new FallbackSocket(
      url,
      route,
      timeoutMs,
      () => websocket(url, protocol),
      async () => (await http())(url, protocol),
    );
  };
}
