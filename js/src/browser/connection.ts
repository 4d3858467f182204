// Owns the core's client: loads the core at the first call, and gives the client its sessions.

import type {
  ChannelSpec,
  Client,
  ConnectionState,
  CoreKind,
  Host,
  SessionReason,
} from '../core/browser-core.js';
import { closable } from '../core/closable.js';
import type { CoreError } from '../core/core-error.js';
import { loadCore, type CoreSources } from '../core/load.js';
import { errorFromCore } from '../errors/from-core.js';
import type { SealwireError } from '../errors/sealwire-error.js';
import { failureOf } from '../errors/failure-of.js';
import { decrypt, fasterFrom } from '../page/aes-gcm.js';
import { watchSurroundings } from '../page/surroundings.js';
import { freshToken } from '../session/channel-token.js';
import { forgeSession } from '../session/forge-session.js';
import { checkGrant, type SessionGrant } from '../session/grant.js';
import { refusalIn } from '../session/refusal.js';
import { sharedThrough } from '../sharing/shared-connection.js';
import { debugged, type DebugEvent } from '../transport/debugged.js';
import { evented } from '../transport/evented.js';
import { withFallback } from '../transport/fallback.js';
import type { Transport } from '../transport/socket.js';
import { report } from './deliver.js';
import { SessionScopes } from './session-scopes.js';
import type { RealtimeOptions, StateListener } from './types.js';

export class Connection {
  core: CoreKind | undefined;
  transport: Transport | undefined;
  state: ConnectionState = 'idle';
  readonly #options: RealtimeOptions;
  readonly #sources: CoreSources | undefined;
  readonly #listeners = new Set<StateListener>();
  readonly #scopes: SessionScopes;
  /** The session that is fetched while the core loads. */
  #first: Promise<SessionGrant> | undefined;
  #client: Promise<Client> | undefined;
  /** Grows with every close, so that what a closed client still says is ignored. */
  #generation = 0;
  #unwatch: (() => void) | undefined;

  constructor(options: RealtimeOptions, sources?: CoreSources) {
    this.#options = options;
    this.#sources = sources;
    this.#scopes = new SessionScopes(options.requestTimeoutMs);
  }

  client(): Promise<Client> {
    if (this.#client) return this.#client;
    const starting = this.#start(this.#generation);
    this.#client = starting;
    // A chunk that failed to load is asked for again by the next call.
    starting.catch(() => {
      if (this.#client === starting) this.#client = undefined;
    });
    return starting;
  }

  /** The client, once it may have a call for this channel. */
  async clientFor(spec: ChannelSpec): Promise<Client> {
    const client = await this.client();
    await this.#scopes.admit(spec, this.#first);
    return client;
  }

  /** The error that the app gets for a failed call. */
  errorOf(thrown: unknown): SealwireError {
    return this.#scopes.explained(errorFromCore(thrown));
  }

  /** The function that it returns ends it. */
  onStateChange(listener: StateListener): () => void {
    // The same function twice is two listeners.
    const entry: StateListener = (state, error) => listener(state, error);
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  close(): void {
    const closing = this.#client;
    if (!closing) return;
    this.#client = undefined;
    this.#generation += 1;
    this.#unwatch?.();
    this.#changed('closed', undefined);
    closing.then((client) => client.close()).catch(() => {});
  }

  async #start(generation: number): Promise<Client> {
    // Whoever starts a client is about to connect, so the session comes while the core loads.
    let early: Promise<SessionGrant> | undefined = this.#session('connect');
    early.catch(() => {});
    this.#first = early;
    const { kind, module } = await loadCore(this.#options.core, this.#sources);
    this.core = kind;
    const { requestTimeoutMs, idleCloseMs, onDebug, share } = this.#options;
    const alone = withFallback({ timeoutMs: requestTimeoutMs });
    const shared = share === false ? undefined : sharedThrough(alone, () => client.wake());
    const connect = shared ?? alone;
    const host: Host = {
      session: (reason) => {
        const session = reason === 'connect' && early ? early : this.#session(reason);
        early = undefined;
        return session;
      },
      connect: evented(
        onDebug ? debugged(connect, (event) => this.#debug(event)) : connect,
        (transport) => (this.transport = transport),
      ),
      token: (provider, renewal) => {
        if (onDebug) this.#debug({ type: 'token' });
        freshToken(provider).then(
          (token) => client.provideToken(renewal, token),
          (error: unknown) => client.failToken(renewal, error),
        );
      },
      open: (opening, ...sealed) => {
        decrypt(...sealed).then(
          (plaintext) => client.provideOpened(opening, plaintext),
          () => client.provideOpened(opening, undefined),
        );
      },
      state: (state, error) => {
        if (generation === this.#generation) this.#changed(state, error);
      },
    };
    const opensElsewhereFrom = fasterFrom(kind);
    const core = new module.Client(host, {
      ...(requestTimeoutMs !== undefined && { requestTimeoutMs }),
      ...(idleCloseMs !== undefined && { idleCloseMs }),
      ...(opensElsewhereFrom !== undefined && { opensElsewhereFrom }),
    });
    const client = closable(core, () => shared?.forget());
    if (generation === this.#generation) this.#unwatch = watchSurroundings(client);
    return client;
  }

  #debug(event: DebugEvent): void {
    try {
      this.#options.onDebug?.(event);
    } catch (thrown) {
      report(thrown);
    }
  }

  #changed(state: ConnectionState, error: CoreError | undefined): void {
    this.state = state;
    const why = error ? errorFromCore(error) : undefined;
    if (this.#options.onDebug) this.#debug({ type: 'state', state, ...(why && { code: why.code }) });
    for (const listener of [this.#options.onState, ...this.#listeners]) {
      try {
        listener?.(state, why);
      } catch (thrown) {
        report(thrown);
      }
    }
  }

  async #session(reason: SessionReason): Promise<SessionGrant> {
    const grant = await this.#fetch(reason);
    this.#scopes.take(grant);
    return grant;
  }

  async #fetch(reason: SessionReason): Promise<SessionGrant> {
    if (this.#options.onDebug) this.#debug({ type: 'session', reason });
    const provide = this.#options.session;
    if (!provide) return forgeSession(reason);
    let grant: unknown;
    try {
      grant = await provide(reason);
    } catch (cause) {
      throw refusalIn(cause) ?? failureOf('The session option failed', cause);
    }
    return checkGrant(grant, 'The session option');
  }
}
