// Hands what the core delivers to the app's functions: messages to the callback, errors to the function that the app has
// for them.

import { checkFunction } from '../arguments/options.js';
import { parsePayload } from '../arguments/payload.js';
import type { Meta, Notice } from '../core/browser-core.js';
import { errorFromCore, sentence } from '../errors/from-core.js';
import { SealwireError } from '../errors/sealwire-error.js';
import type { ErrorListener, RealtimeEvent, SubscriptionOptions } from './types.js';

/** The callback with its type parameter gone: the core knows nothing of the app's types. */
export type AnyCallback = (payload: any, error?: SealwireError, event?: RealtimeEvent) => unknown;

/** The app's functions for one subscription. */
export interface Audience {
  channel: string;
  callback: AnyCallback;
  onError?: ErrorListener;
  onGap?: ErrorListener;
  /** The codes of the errors that had no function to go to. */
  unheard: Set<string>;
}

/** Checks the app's functions of a call. */
export function audienceOf(
  channel: string,
  callback: AnyCallback,
  options: Record<string, unknown>,
): Audience {
  checkFunction(callback, 'The callback');
  const { onError, onGap } = options as SubscriptionOptions;
  if (onError !== undefined) checkFunction(onError, 'The option onError');
  if (onGap !== undefined) checkFunction(onGap, 'The option onGap');
  return { channel, callback, unheard: new Set(), ...(onError && { onError }), ...(onGap && { onGap }) };
}

/** An app's exception is the app's: it reaches the page's error handler and not the core. */
export function report(error: unknown): void {
  if (typeof globalThis.reportError === 'function') globalThis.reportError(error);
  else
    setTimeout(() => {
      throw error;
    });
}

function calling(work: () => unknown): void {
  try {
    work();
  } catch (thrown) {
    report(thrown);
  }
}

/**
 * Gives an error to the option for it. Without one, a callback that declares a second parameter gets `undefined` and the
 * error: a callback of one parameter, as Forge documents them, expects messages only. An error without a function to go to
 * is a warning in the console, once for each subscription and code.
 */
export function deliverError(audience: Audience, error: SealwireError, event?: RealtimeEvent): void {
  const { callback, onError, onGap, unheard } = audience;
  const listener = (error.code === 'GAP' ? onGap : undefined) ?? onError;
  if (listener) return calling(() => listener(error));
  if (callback.length >= 2) return calling(() => callback(undefined, error, event));
  if (unheard.has(error.code)) return;
  unheard.add(error.code);
  console.warn(
    `sealwire: ${error.code} on the channel '${audience.channel}', and nothing in the app listens: ${error.message} ` +
      'Pass the option onError, or a callback (payload, error) => …',
  );
}

export function deliverMessage(audience: Audience, text: string, meta: Meta): void {
  const event: RealtimeEvent = {
    eventId: meta.eventId,
    timestamp: meta.timestamp,
    publishedAt: meta.publishedAt,
    channel: meta.channel,
    name: meta.event,
  };
  let payload: unknown;
  try {
    payload = parsePayload(text);
  } catch (error) {
    return deliverError(audience, error as SealwireError, event);
  }
  calling(() => audience.callback(payload, undefined, event));
}

export function noticeError(notice: Notice): SealwireError {
  if (notice.kind !== 'gap') return errorFromCore(notice);
  const { from, to, reason, message } = notice;
  return new SealwireError('GAP', sentence(message), { gap: { from, to, reason } });
}

export function deliverNotice(audience: Audience, notice: Notice): void {
  deliverError(audience, noticeError(notice));
}
