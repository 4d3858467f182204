// createStream() and publishStream(): text streams from a resolver or a queue consumer.

import { invalid, kindOf } from '../arguments/invalid.js';
import { checkChannelName } from '../arguments/names.js';
import { checkOptions } from '../arguments/options.js';
import { SealwireError } from '../errors/sealwire-error.js';
import { checkStreamId } from '../text-stream/id.js';
import type { Backend } from './backend.js';
import { currentContext, currentInvocation } from './invocation.js';
import { publish } from './publish.js';
import { TextStreamPublisher } from './text-stream-publisher.js';

/** In messages per second. */
const DEFAULT_RATE = 10;
const MAX_RATE = 50;

function checkRate(rate: unknown): number {
  if (rate === undefined) return DEFAULT_RATE;
  if (typeof rate === 'number' && rate > 0 && rate <= MAX_RATE) return rate;
  throw invalid(`The option publishesPerSecond must be a number above 0 and at most ${MAX_RATE}.`);
}

export function createStream(backend: Backend, channelName: unknown, given: unknown): TextStreamPublisher {
  const { id, publishesPerSecond, ...options } = checkOptions(given);
  const channel = checkChannelName(channelName);
  if (options['idempotencyId'] !== undefined) {
    throw invalid('A stream has many messages: it takes no idempotencyId. Give the stream an id.');
  }
  if (options['signal'] !== undefined) {
    throw invalid('A stream takes no signal. End it with fail().');
  }
  // Every message belongs to the invocation that creates the stream, even if another one writes to it.
  const context = currentContext(options['context']);
  const invocation = currentInvocation() ?? {};
  const streamId = checkStreamId(id) ?? globalThis.crypto.randomUUID();
  return new TextStreamPublisher(streamId, checkRate(publishesPerSecond), async (payload) => {
    const { errors } = await publish(backend, false, channel, payload, { ...options, context }, invocation);
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
    // The caller learns the reason. Subscribers may not be allowed to know it.
    await stream.fail().catch(() => {});
    throw thrown;
  }
  await stream.end();
  return { id: stream.id, messages: stream.messages };
}
