// Delivers the core's messages and errors to the app's functions: messages to the callback, errors to the listener that the
// app has for them.

import { invalid } from '../arguments/invalid.js';
import { checkFunction } from '../arguments/options.js';
import { parsePayload } from '../arguments/payload.js';
import type { Meta, Notice } from '../core/browser-core.js';
import { errorFromCore, sentence } from '../errors/from-core.js';
import { SealwireError } from '../errors/sealwire-error.js';
import type { AcceptedSenders, ErrorListener, SubscriptionOptions } from './subscription-types.js';
import type { RealtimeEvent } from './types.js';

/** A callback without its type parameter, since the core does not know the app's types. */
export type AnyCallback = (payload: any, error?: SealwireError, event?: RealtimeEvent) => unknown;

/** The app's functions for one subscription. */
export interface Audience {
  channel: string;
  callback: AnyCallback;
  onError?: ErrorListener | undefined;
  onGap?: ErrorListener | undefined;
  onResumed?: SubscriptionOptions['onResumed'] | undefined;
  senders: AcceptedSenders;
  /** The codes of the errors that no function of the app took. */
  unheard: Set<string>;
}

const SENDERS: unknown[] = ['any', 'verified', 'function'] satisfies AcceptedSenders[];

function checkSenders(senders: unknown): void {
  if (!SENDERS.includes(senders))
    throw invalid("The option senders must be 'any', 'verified' or 'function'.");
}

function accepts(senders: AcceptedSenders, { sender }: Meta): boolean {
  return senders === 'any' || (sender !== undefined && (senders === 'verified' || sender.kind === senders));
}

/** Checks and returns the app's functions of a call. */
export function audienceOf(
  channel: string,
  callback: AnyCallback,
  options: Record<string, unknown>,
): Audience {
  checkFunction(callback, 'The callback');
  const { onError, onGap, onResumed, senders = 'any' } = options as SubscriptionOptions;
  checkSenders(senders);
  if (onError !== undefined) checkFunction(onError, 'The option onError');
  if (onGap !== undefined) checkFunction(onGap, 'The option onGap');
  if (onResumed !== undefined) checkFunction(onResumed, 'The option onResumed');
  return { channel, callback, unheard: new Set(), onError, onGap, onResumed, senders };
}

/** Reports an exception of the app to the page's error handler, so that it does not reach the core. */
export function report(error: unknown): void {
  if (typeof globalThis.reportError === 'function') globalThis.reportError(error);
  else
    setTimeout(() => {
      throw error;
    });
}

function callSafely(callback: () => unknown): void {
  try {
    callback();
  } catch (thrown) {
    report(thrown);
  }
}

/**
 * Delivers an error to the listener for it. Without one, a callback that declares a second parameter receives `undefined` and
 * the error; a callback with one parameter, as Forge documents it, expects messages only. An error that no function takes is
 * a warning in the console, once per subscription and code.
 */
export function deliverError(
  audience: Omit<Audience, 'senders'>,
  error: SealwireError,
  event?: RealtimeEvent,
): void {
  const { callback, onError, onGap, unheard } = audience;
  const listener = (error.code === 'GAP' ? onGap : undefined) ?? onError;
  if (listener) return callSafely(() => listener(error));
  if (callback.length >= 2) return callSafely(() => callback(undefined, error, event));
  if (unheard.has(error.code)) return;
  unheard.add(error.code);
  console.warn(
    `sealwire: ${error.code} on the channel '${audience.channel}', for which the app has no listener: ${error.message} ` +
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
    ...(meta.sender && { sender: meta.sender }),
  };
  if (!accepts(audience.senders, meta)) return deliverError(audience, unverified(audience), event);
  let payload: unknown;
  try {
    payload = parsePayload(text);
  } catch (error) {
    return deliverError(audience, error as SealwireError, event);
  }
  callSafely(() => audience.callback(payload, undefined, event));
}

function unverified({ channel, senders }: Audience): SealwireError {
  const publisher =
    senders === 'function' ? 'a function of the app' : 'a function of the app or a page that signs';
  return new SealwireError(
    'SENDER_UNVERIFIED',
    `A message on the channel '${channel}' was refused: no signature proves that ${publisher} published it.`,
  );
}

export function noticeError(notice: Notice): SealwireError {
  if (notice.kind !== 'gap') return errorFromCore(notice);
  const { from, to, reason, message } = notice;
  return new SealwireError('GAP', sentence(message), { gap: { from, to, reason } });
}

export function deliverNotice(audience: Audience, notice: Notice): void {
  if (notice.kind === 'recovered' || notice.kind === 'not-recovered') {
    const recovered = notice.kind === 'recovered';
    return callSafely(() => audience.onResumed?.({ recovered }));
  }
  deliverError(audience, noticeError(notice));
}
