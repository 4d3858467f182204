// The page under test: the package as an app bundles it.
import { start } from './connect.js';

globalThis.received = [];
globalThis.problems = [];
globalThis.states = [];

globalThis.start = (options = {}) => start({ onState: (state) => globalThis.states.push(state), ...options });

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
