// Streams in a resolver or a queue consumer: createStream() and publishStream().

import { invalid, kindOf } from '../arguments/invalid.js';
import { checkChannelName } from '../arguments/names.js';
import { checkOptions } from '../arguments/options.js';
import type { Backend } from '../backend/backend.js';
import { currentContext, currentInvocation } from '../backend/invocation.js';
import { publish } from '../backend/publish.js';
import { SealwireError } from '../errors/sealwire-error.js';
import { checkStreamId } from './id.js';
import { Publisher } from './publisher.js';

const DEFAULT_RATE = 10;
const MAX_RATE = 50;

function checkRate(rate: unknown): number {
  if (rate === undefined) return DEFAULT_RATE;
  if (typeof rate === 'number' && rate > 0 && rate <= MAX_RATE) return rate;
  throw invalid(`The option publishesPerSecond must be a number above 0 and at most ${MAX_RATE}.`);
}

export function createStream(backend: Backend, channelName: unknown, given: unknown): Publisher {
  const { id, publishesPerSecond, ...options } = checkOptions(given);
  const channel = checkChannelName(channelName);
  if (options['idempotencyId'] !== undefined) {
    throw invalid('A stream has many messages: it takes no idempotencyId. Give the stream an id.');
  }
  // The invocation is the one that creates the stream, wherever it is written to.
  const context = currentContext(options['context']);
  const within = currentInvocation() ?? {};
  const streamId = checkStreamId(id) ?? globalThis.crypto.randomUUID();
  return new Publisher(streamId, checkRate(publishesPerSecond), async (payload) => {
    const { errors } = await publish(backend, false, channel, payload, { ...options, context }, within);
    const [failure] = errors ?? [];
    if (failure) {
      throw new SealwireError(failure.code, failure.message, { retryAfterMs: failure.retryAfterMs });
    }
  });
}

function isIterable(source: unknown): source is AsyncIterable<string> {
  if (typeof source !== 'object' || source === null) return false;
  return Symbol.asyncIterator in source || Symbol.iterator in source;
}

export async function publishStream(
  backend: Backend,
  channel: unknown,
  source: unknown,
  options: unknown,
): Promise<{ id: string; messages: number }> {
  if (!isIterable(source)) {
    throw invalid(
      `publishStream() takes an iterable of text, such as a model's answer, not ${kindOf(source)}.`,
    );
  }
  const stream = createStream(backend, channel, options);
  try {
    for await (const text of source) await stream.write(text);
  } catch (thrown) {
    // What went wrong is the caller's to know, and may be none of the subscribers' business.
    await stream.fail().catch(() => {});
    throw thrown;
  }
  await stream.end();
  return { id: stream.id, messages: stream.messages };
}
