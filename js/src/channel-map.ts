// The map of an app's channels, which types the payloads of subscribe() and publish() in pages, hooks, functions and tests.

import type { Payload } from './arguments/payload.js';

/**
 * The constraint of a channel map: an interface or a type whose keys are the names of the app's channels, and whose values
 * are the types of their payloads. A payload is a string or an object; an array goes inside an object. The key of channels
 * whose names are built while the app runs is a template, such as `` [name: `notes-${string}`]: Note ``.
 *
 * @example
 * ```ts
 * interface Channels {
 *   notes: { text: string; by: string };
 *   poll: { choice: number };
 * }
 * const realtime = createRealtime<Channels>();
 * ```
 */
export type ChannelMap<M> = { [C in keyof M]: string | Payload };

/** The names of the channels of a map. */
export type ChannelName<M> = keyof M & string;

/** Selects between the types of a client with the map `M` and of one without a map, whose `M` is `any`. */
export type WithMap<M, Typed, Untyped> = 0 extends 1 & M ? Untyped : Typed;

/** The call that publishes to a channel, with the options and the result of a page or of the app's functions. */
export type PublishWith<M extends ChannelMap<M>, Options, Result> = WithMap<
  M,
  <C extends ChannelName<M>>(channel: C, payload: M[C], options?: Options) => Promise<Result>,
  <T extends Payload>(channel: string, payload: string | T, options?: Options) => Promise<Result>
>;
