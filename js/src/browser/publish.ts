// publish() and publishGlobal(): checks a call, passes it to the core, and shapes the result as @forge/bridge does. A wrong
// call rejects; every other failure is reported in the result.

import { checkIdempotencyId, checkSigned } from '../arguments/call-options.js';
import { checkEventName } from '../arguments/names.js';
import { checkOptions } from '../arguments/options.js';
import { serialisePayload } from '../arguments/payload.js';
import type { SealwireError } from '../errors/sealwire-error.js';
import { refuseToken } from '../session/channel-token.js';
import { channelKeyOf, channelSpec, withToken } from './channel.js';
import type { Connection } from './connection.js';
import type { PublishResult } from './types.js';
import { abortedError, limitsOf, type Wait } from './wait.js';

/** The default time limit of a publish, which includes its token and session. */
const DEFAULT_TIMEOUT_MS = 120_000;

export async function publish(
  connection: Connection,
  global: boolean,
  channel: string,
  payload: unknown,
  given: unknown,
): Promise<PublishResult> {
  const options = checkOptions(given);
  const named = channelSpec(channel, options, global);
  const event = checkEventName(options['eventName']);
  const idempotencyId = checkIdempotencyId(options['idempotencyId']);
  const signed = checkSigned(options['signed']) ?? connection.signs;
  const limits = limitsOf(options);
  const text = serialisePayload(payload);
  const send = async (wait: Wait): Promise<PublishResult> => {
    const addressed = named.provider ? withToken(named, wait) : Promise.resolve(named.spec);
    // A rejection is reported when this call has its turn.
    addressed.catch(() => {});
    const handOver = async () => {
      if (signed) connection.needSigning();
      const spec = await addressed;
      const client = await connection.clientFor(spec, wait);
      const remaining = wait.remainingMs;
      const published = client.publish(spec, event, text, {
        ...(remaining !== undefined && { timeoutMs: remaining }),
        ...(idempotencyId !== undefined && { idempotencyId }),
        ...(signed && { signed }),
        started: (call) => wait.onEnd(() => client.withdraw(call)),
      });
      // The object keeps the turn from lasting until the relay's answer.
      return { published };
    };
    try {
      const { published } = await connection.order.run(channelKeyOf(named), wait, handOver);
      const { eventId, timestamp } = await published;
      return { eventId, eventTimestamp: String(timestamp) };
    } catch (thrown) {
      if (named.provider && connection.errorOf(thrown).code.startsWith('TOKEN_')) {
        refuseToken(named.provider, (await addressed.catch(() => undefined))?.token);
      }
      return failed(connection, wait, limits.signal, thrown);
    }
  };
  const result = connection.withWait(limits, send, DEFAULT_TIMEOUT_MS);
  connection.observe({ spec: named.spec, event, payload: text, result });
  return result;
}

function failed(
  connection: Connection,
  wait: Wait,
  signal: AbortSignal | undefined,
  thrown: unknown,
): PublishResult {
  const isAborted = signal?.aborted === true && wait.ended?.error === signal.reason;
  // The core knows whether it has sent the message. A call that has not reached the core has sent nothing.
  const mayHaveArrived = isAborted
    ? ((thrown as Partial<SealwireError> | undefined)?.mayHaveArrived ?? false)
    : connection.errorOf(thrown).mayHaveArrived;
  const error = isAborted ? abortedError(mayHaveArrived === true) : connection.errorOf(thrown);
  return {
    eventId: null,
    eventTimestamp: null,
    errors: [`${error.code}: ${error.message}`],
    ...(mayHaveArrived !== undefined && { mayHaveArrived }),
  };
}
