// The face of the Rust client, as both of its builds (WebAssembly and plain JavaScript) export it. Converts nothing:
// the idiom lives in browser/.

import type { TokenProvider } from '../session/channel-token.js';
import type { SessionGrant } from '../session/grant.js';
import type { Gap } from '../errors/sealwire-error.js';
import type { CoreError } from './core-error.js';

/** Which build of the core runs. */
export type CoreKind = 'wasm' | 'js';

/** Why the core asks for a session: to connect, before the old one expires, or because a message's key is unknown. */
export type SessionReason = 'connect' | 'refresh' | 'unknown-key';

/**
 * What the connection is doing: `idle` (nothing needs one), `connecting`, `connected`, `reconnecting`, `suspended` (one is
 * needed, but the browser is offline, or the page is frozen or has been hidden for minutes: it comes back by itself with
 * the network or the page) or `closed` (by `close()`; a later call starts anew).
 */
export type ConnectionState = 'idle' | 'connecting' | 'connected' | 'reconnecting' | 'suspended' | 'closed';

/** Why attempts to connect make no sense for now. */
export type PauseReason = 'offline' | 'hidden' | 'frozen';

export interface Host {
  session(reason: SessionReason): Promise<SessionGrant>;
  /**
   * The core listens to `open`, `message` and `close`, as a WebSocket has them. A `close` may have a `failure`: an object
   * with `code`, `message` and perhaps `retryAfterMs`, which says more than the close code.
   */
  connect(url: string, protocol: string): EventTarget;
  /**
   * Answer with the client's `provideToken` or `failToken`. `fresh` says that a token which was fetched a moment ago is of
   * no use: it lacks a key, or the relay does not take it.
   */
  token(provider: TokenProvider, renewal: number, fresh: boolean): void;
  state(state: ConnectionState, error?: CoreError): void;
  /**
   * AES-256-GCM: answer with the client's `provideOpened`. What is passed in is the core's memory, and may be read until
   * this returns.
   */
  open(
    opening: number,
    key: Uint8Array,
    iv: Uint8Array,
    associatedData: Uint8Array,
    ciphertext: Uint8Array,
  ): void;
}

export interface ClientOptions {
  idleCloseMs?: number;
  /** From how many sealed bytes on the host opens a message; absent: never. */
  opensElsewhereFrom?: number;
}

export interface ChannelSpec {
  name: string;
  /** Names of properties; absent: the session's whole context; empty: the installation-wide channel. */
  scope?: string[];
  token?: string;
}

export interface Meta {
  eventId: string;
  /** The relay's time, in Unix milliseconds. */
  timestamp: number;
  /** The publisher's time, sealed with the message, in Unix milliseconds. */
  publishedAt: number;
  event: string;
  channel: string;
}

export type Notice =
  | ({ kind: 'gap'; message: string } & Gap)
  | ({ kind: 'error' } & CoreError)
  | ({ kind: 'ended' } & CoreError)
  | { kind: 'state'; state: 'subscribed' | 'resuming' };

export interface Published {
  eventId: string;
  timestamp: number;
}

/** The bounds of a call. */
export interface CallOptions {
  /** The whole wait of the call; absent: two minutes for a publish, no end for a subscribe. */
  timeoutMs?: number;
  /** Called at once with the number of the call, for `unsubscribe` or `withdraw`. */
  started?: (call: number) => void;
}

export interface PublishOptions extends CallOptions {
  /** The app's own. */
  idempotencyId?: string;
}

export interface SubscribeOptions extends CallOptions {
  replaySeconds?: number;
  /** Provides tokens for the subscription's channel, ahead of the end of the one at hand. */
  renewToken?: TokenProvider;
}

export interface Client {
  subscribe(
    channel: ChannelSpec,
    options: SubscribeOptions,
    onMessage: (payload: string, meta: Meta) => void,
    onNotice: (notice: Notice) => void,
  ): Promise<number>;
  unsubscribe(id: number): Promise<void>;
  publish(channel: ChannelSpec, event: string, payload: string, options: PublishOptions): Promise<Published>;
  /** Stops waiting for a publication: its promise rejects. */
  withdraw(publish: number): void;
  refreshToken(id: number, token: string): Promise<void>;
  provideToken(renewal: number, token: string): void;
  failToken(renewal: number, error: unknown): void;
  provideOpened(opening: number, plaintext: Uint8Array | undefined): void;
  pause(reason: PauseReason): void;
  wake(): void;
  close(): void;
  readonly state: string;
}

/** A client as the core makes it: its memory is given back by hand. */
export interface CoreClient extends Client {
  free?(): void;
}

export interface CoreModule {
  Client: new (host: Host, options: ClientOptions) => CoreClient;
}
