// Remembers per relay whether WebSockets work, and for how long to use HTTP if they do not.

/** The duration of the use of HTTP after the network let no WebSocket through. */
const HTTP_MS = 10 * 60_000;
/** The number of failures in a row after which HTTP is tried if WebSockets have worked: one failure says little. */
const MAX_FAILURES = 3;
/** The number of slow WebSockets in a row that is attributed to the network. A single one may be a stalled relay. */
const MAX_SLOW = 2;

export class Route {
  readonly #key: string;
  #httpUntil = 0;
  #works = false;
  #failures = 0;
  #slow = 0;
  /** True if the next connection uses HTTP. */
  #httpNext = false;

  constructor(url: string) {
    this.#key = `sealwire/http/${url}`;
  }

  /** Returns whether this connection begins with HTTP. */
  takeHttp(): boolean {
    const httpNext = this.#httpNext;
    this.#httpNext = false;
    return httpNext || this.#usesHttp();
  }

  /**
   * Returns whether an earlier page of the tab uses HTTP. The first access to the storage waits for other processes of the browser,
   * 10 to 20 ms, so only a page whose WebSocket is slow calls this.
   */
  recallsHttp(): boolean {
    this.#httpUntil ||= Number(stored(this.#key)) || 0;
    return this.#usesHttp();
  }

  /** True if a WebSocket has worked. The core's own timeouts are then sufficient. */
  get works(): boolean {
    return this.#works;
  }

  /** Records that a WebSocket has received data. */
  worked(): void {
    this.#works = true;
    this.#failures = this.#slow = 0;
  }

  /** Records that a WebSocket did not open, or received nothing. Returns whether to try HTTP. */
  failed(): boolean {
    this.#failures += 1;
    return this.#failures % (this.#works ? MAX_FAILURES : 1) === 0;
  }

  /** Records that a WebSocket was slow: the time passed before it opened or received data. */
  wasSlow(): void {
    this.#slow += 1;
  }

  /** Lets the next connection begin with HTTP. */
  tryHttpNext(): void {
    this.#httpNext = true;
  }

  /** Records that HTTP works. Returns whether to keep using it; if not, a WebSocket is tried again soon. */
  httpWorked(): boolean {
    if (this.#slow > 0 && this.#slow < MAX_SLOW) return false;
    this.#keep(Date.now() + HTTP_MS);
    return true;
  }

  /** Records that HTTP failed. */
  httpFailed(): void {
    this.#keep(0);
  }

  #usesHttp(): boolean {
    // The upper bound keeps a clock that was set back from extending the time.
    const left = this.#httpUntil - Date.now();
    return left > 0 && left <= HTTP_MS;
  }

  #keep(until: number): void {
    this.#httpUntil = until;
    store(this.#key, until);
  }
}

/** Reads the storage, which a browser may refuse to frames of another site. */
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
    // Without storage, the next page detects the network by itself.
  }
}
