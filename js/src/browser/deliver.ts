// Hands what the core delivers to the app's callback.

import { parsePayload } from '../arguments/payload.js';
import type { Meta, Notice } from '../core/browser-core.js';
import { errorFromCore, sentence } from '../errors/from-core.js';
import { SealwireError } from '../errors/sealwire-error.js';
import type { RealtimeEvent } from './types.js';

/** The callback with its type parameter gone: the core knows nothing of the app's types. */
export type AnyCallback = (payload: any, error?: SealwireError, event?: RealtimeEvent) => unknown;

/** An app's exception is the app's: it reaches the page's error handler and not the core. */
export function report(error: unknown): void {
  if (typeof globalThis.reportError === 'function') globalThis.reportError(error);
  else
    setTimeout(() => {
      throw error;
    });
}

function call(callback: AnyCallback, payload: unknown, error?: SealwireError, event?: RealtimeEvent): void {
  try {
    callback(payload, error, event);
  } catch (thrown) {
    report(thrown);
  }
}

export function deliverMessage(callback: AnyCallback, text: string, meta: Meta): void {
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
    return call(callback, undefined, error as SealwireError, event);
  }
  call(callback, payload, undefined, event);
}

export function noticeError(notice: Notice): SealwireError {
  if (notice.kind !== 'gap') return errorFromCore(notice);
  const { from, to, reason, message } = notice;
  return new SealwireError('GAP', sentence(message), { gap: { from, to, reason } });
}

export function deliverNotice(callback: AnyCallback, notice: Notice): void {
  call(callback, undefined, noticeError(notice));
}
