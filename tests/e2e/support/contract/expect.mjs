// Subscribing with a record of everything received, and the assertions on the results of calls.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

const RECEIVE_TIMEOUT_MS = 20_000;
const CONDITION_TIMEOUT_MS = 8_000;
/** Above the longest wait of a client between two attempts to connect, which is 30 seconds. */
export const RECONNECT_TIMEOUT_MS = 40_000;

/** Subscribes, and records payloads and the codes of errors in `received`. `receives` waits for a number of them. */
export async function listen(realtime, channel, options, subscribe = realtime.subscribe) {
  const received = [];
  const events = [];
  const errors = [];
  const callback = (payload, error, event) => {
    received.push(error ? error.code : payload);
    if (error) errors.push(error);
    else events.push(event);
  };
  const subscription = await subscribe(channel, callback, options);
  const receives = async (count) => {
    const end = Date.now() + RECEIVE_TIMEOUT_MS;
    while (received.length < count && Date.now() < end) await sleep(5);
    return received;
  };
  return { received, events, errors, subscription, receives };
}

export async function mustAccept(publishing) {
  const result = await publishing;
  assert.equal(result.errors, undefined);
  return result;
}

/** Asserts that a publish fails with a code, and a sentence for its reason. */
export async function mustRefuse(publishing, code) {
  const { errors } = await publishing;
  const [error] = errors;
  assert.match(
    typeof error === 'string' ? error : `${error.code}: ${error.message}`,
    new RegExp(`^${code}: [A-Z].*[.]$`),
  );
}

export const mustReject = (promise, code) =>
  assert.rejects(promise, (error) => error.code === code || assert.equal(error.code, code));

export async function waitFor(condition, timeoutMs = CONDITION_TIMEOUT_MS) {
  for (const end = Date.now() + timeoutMs; Date.now() < end; await sleep(5)) if (condition()) return;
  assert.fail('the condition did not become true in time');
}
