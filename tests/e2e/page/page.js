// The page under test, which loads the package as an app's bundle does.
import { start } from './connect.js';
import { enterSealed, rawPresence, sessionOf } from './raw-presence.js';

globalThis.received = [];
globalThis.problems = [];
globalThis.states = [];
globalThis.stateErrors = [];

globalThis.debugEvents = [];

Object.assign(globalThis, { enterSealed, rawPresence, sessionOf });

globalThis.start = (options = {}) =>
  start({
    onState: (state, error) => {
      globalThis.states.push(state);
      if (error)
        globalThis.stateErrors.push({
          code: error.code,
          message: error.message,
          retryAfterMs: error.retryAfterMs,
        });
    },
    ...(options.debug && { onDebug: (event) => globalThis.debugEvents.push(event) }),
    ...options,
  });

globalThis.showDevtools = async (options) => {
  const { showDevtools } = await import('sealwire/devtools');
  globalThis.hideDevtools = showDevtools(globalThis.realtime, options);
};

globalThis.signToken = async (lifetimeSeconds) => {
  const response = await fetch('/token', { method: 'POST', body: JSON.stringify({ lifetimeSeconds }) });
  if (!response.ok) throw new Error(await response.text());
  globalThis.tokens = (globalThis.tokens ?? 0) + 1;
  return response.text();
};

globalThis.subscribe = async (channel, options) => {
  globalThis.subscription = await globalThis.realtime.subscribe(
    channel,
    (payload, error, event) => {
      if (error) globalThis.problems.push({ code: error.code, message: error.message, gap: error.gap });
      else globalThis.received.push({ payload, event });
    },
    options,
  );
};
