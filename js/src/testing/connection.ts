// The connection of one client to the test relay: its session, its retries, and the calls that wait for it.

import type { ClientOptions, ConnectionState, Host } from '../core/browser-core.js';
import type { CoreError } from '../errors/core-error.js';
import { errorFromCore } from '../errors/from-core.js';
import type { SealwireError } from '../errors/sealwire-error.js';
import { PendingCalls } from './pending-calls.js';
import { refused } from './refused.js';
import { TestSession } from './session.js';
import type { TestSubscriptions } from './subscriptions.js';
import { Gate, later, turns, type Timer } from './timing.js';
import type { World } from './world.js';

const DEFAULT_IDLE_CLOSE_MS = 5_000;
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 15_000;
const CLOSED = refused('CLOSED', 'the client was closed');

export class TestConnection {
  state: ConnectionState = 'idle';
  readonly calls = new PendingCalls();
  readonly #network: Gate;
  readonly #host: Host;
  readonly #subscriptions: TestSubscriptions;
  readonly #session: TestSession;
  readonly #idleCloseMs: number;
  /** Shut while the page is paused. */
  readonly #awake = new Gate();
  #connecting: Promise<void> | undefined;
  #wasConnected = false;
  #lastError: SealwireError | undefined;
  #idleTimer: Timer | undefined;

  constructor(
    world: World,
    network: Gate,
    host: Host,
    { idleCloseMs = DEFAULT_IDLE_CLOSE_MS }: ClientOptions,
    subscriptions: TestSubscriptions,
  ) {
    this.#network = network;
    this.#host = host;
    this.#subscriptions = subscriptions;
    this.#idleCloseMs = idleCloseMs;
    this.#session = new TestSession(host, world, () => this.expire());
  }

  /** Resolves with the session once there is a connection. `call` is the number of the call that waits. */
  async connected(call: number, timeoutMs: number | undefined): Promise<NonNullable<TestSession['current']>> {
    clearTimeout(this.#idleTimer);
    try {
      return await this.calls.run(
        call,
        timeoutMs,
        () => this.#lateError(),
        async (failed) => {
          for (;;) {
            if (this.state === 'closed') throw CLOSED;
            const session = this.#session.current;
            if (this.state === 'connected' && session) return session;
            await Promise.race([this.#connect(), failed]);
          }
        },
      );
    } finally {
      this.closeIfIdle();
    }
  }

  /** Handles the loss of the connection: reconnects if it is needed. */
  lost(state: ConnectionState = 'reconnecting', error?: CoreError): void {
    if (this.state !== 'connected') return;
    if (!this.#isNeeded()) return this.#setState('idle', error);
    this.#setState(state, error);
    this.#subscriptions.suspend();
    this.#connect().catch(() => {});
  }

  pause(): void {
    if (!this.#isNeeded()) return;
    this.#awake.shut();
    this.lost('suspended');
  }

  wake(): void {
    this.#awake.open();
  }

  /** Handles expired and revoked tokens: those of the subscriptions, then the session. */
  expire(): void {
    this.#subscriptions.expire();
    if (this.#session.current) return;
    const reason = this.#session.isRevoked
      ? refused('REVOKED', 'the app ended the session; request a new one from the app')
      : refused('TOKEN_EXPIRED', 'the session has expired');
    this.#session.forget();
    this.lost('reconnecting', reason);
  }

  /** Closes the connection after a while if nothing needs it. */
  closeIfIdle(): void {
    clearTimeout(this.#idleTimer);
    if (this.#isNeeded() || this.state !== 'connected') return;
    this.#idleTimer = later(this.#idleCloseMs, () => {
      if (this.#isNeeded()) return;
      this.#session.stop();
      this.#wasConnected = false;
      this.#setState('idle');
    });
  }

  close(): void {
    this.#session.forget();
    clearTimeout(this.#idleTimer);
    this.calls.failAll(CLOSED);
    this.#setState('closed');
  }

  /** Resolves once the client is not connecting, or cannot connect. */
  async settled(): Promise<void> {
    if (this.#network.isOpen && this.#awake.isOpen) await this.#connecting?.catch(() => {});
  }

  /** Returns the error of a call at its time limit, which names the side that was slow. */
  #lateError(): CoreError {
    const slow = "the app's session function has not answered in time; the relay was not asked";
    if (this.state !== 'connected' && this.#session.isFetching) return refused('SESSION_UNAVAILABLE', slow);
    return this.#lastError ?? refused('UNREACHABLE', 'the relay did not answer in time');
  }

  #connect(): Promise<void> {
    return (this.#connecting ??= this.#attempts().finally(() => (this.#connecting = undefined)));
  }

  async #attempts(): Promise<void> {
    if (this.state === 'idle') this.#setState('connecting');
    for (let backoff = FIRST_RETRY_MS; ; backoff = Math.min(backoff * 2, MAX_RETRY_MS)) {
      try {
        await this.#awake.passed();
        await this.#network.passed();
        if (!this.#session.current) await this.#session.fetch('connect');
        await turns(1);
        if (this.state === 'closed') throw CLOSED;
        if (this.#network.isOpen && this.#awake.isOpen) return this.#opened();
      } catch (thrown) {
        const error = errorFromCore(thrown);
        if (this.state === 'closed') throw error;
        if (!error.retryable) {
          this.#giveUp(error);
          throw error;
        }
        this.#lastError = error;
        this.#setState(this.#wasConnected ? 'reconnecting' : 'connecting', error);
        await new Promise<void>((resolve) => later(error.retryAfterMs ?? backoff, resolve));
        if (!this.#isNeeded()) return this.#setState('idle', error);
      }
    }
  }

  #opened(): void {
    this.#lastError = undefined;
    this.#wasConnected = true;
    this.#setState('connected');
    this.#subscriptions.resume();
  }

  /** Ends all subscriptions, and waits for the app's next call. */
  #giveUp(error: SealwireError): void {
    this.#subscriptions.endAll(error);
    this.#session.forget();
    this.#wasConnected = false;
    this.#setState('idle', error);
  }

  #isNeeded(): boolean {
    return this.#subscriptions.any || this.calls.any;
  }

  #setState(state: ConnectionState, error?: CoreError): void {
    if (state === this.state && !error) return;
    this.state = state;
    this.#host.state(state, error);
  }
}
