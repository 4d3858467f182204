// The knowledge about the way to one relay: if WebSockets come through, and if not, for how long HTTP is taken.

/** The time without a WebSocket after the network let none through. */
const HTTP_MS = 10 * 60_000;
/** If WebSockets have worked, one that fails says little about the network, and so many in a row something. */
const FAILURES = 3;
/** So many slow WebSockets in a row are the network's doing. One may be a relay that stood still. */
const DOUBTS = 2;

export class Route {
  readonly #key: string;
  #httpUntil: number;
  #works = false;
  #failures = 0;
  #doubts = 0;
  /** The next connection goes over HTTP. */
  #once = false;

  constructor(url: string) {
    this.#key = `sealwire/http/${url}`;
    this.#httpUntil = Number(stored(this.#key)) || 0;
  }

  /** True if the next connection begins with HTTP. */
  takeHttp(): boolean {
    const once = this.#once;
    this.#once = false;
    // A clock that was set back does not prolong it.
    const left = this.#httpUntil - Date.now();
    return once || (left > 0 && left <= HTTP_MS);
  }

  /** A WebSocket has worked: then its connection's own patience is enough. */
  get works(): boolean {
    return this.#works;
  }

  worked(): void {
    this.#works = true;
    this.#failures = this.#doubts = 0;
  }

  /** No WebSocket came about, or nothing came over it. Returns whether to try HTTP. */
  failed(): boolean {
    this.#failures += 1;
    return this.#failures % (this.#works ? FAILURES : 1) === 0;
  }

  /** A WebSocket was slow: it did not open, or brought nothing. */
  doubted(): void {
    this.#doubts += 1;
  }

  /** Has the next connection begin with HTTP. */
  tryHttpNext(): void {
    this.#once = true;
  }

  /** HTTP works. Returns whether it is kept to; otherwise a WebSocket is tried again soon. */
  overHttp(): boolean {
    if (this.#doubts > 0 && this.#doubts < DOUBTS) return false;
    this.#keep(Date.now() + HTTP_MS);
    return true;
  }

  /** HTTP came to nothing. */
  notOverHttp(): void {
    this.#keep(0);
  }

  #keep(until: number): void {
    this.#httpUntil = until;
    store(this.#key, until);
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
