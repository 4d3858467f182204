// The page under test: the package as an app bundles it, with a session provider in place of @forge/bridge.
import { createRealtime } from 'sealwire';

const user = new URLSearchParams(location.search);

globalThis.received = [];
globalThis.problems = [];
globalThis.states = [];
globalThis.sessions = 0;

globalThis.start = (options = {}) => {
  globalThis.realtime = createRealtime({
    session: async (reason) => {
      const response = await fetch('/session', {
        method: 'POST',
        body: JSON.stringify({ user: user.get('user'), dashboard: user.get('dashboard'), reason }),
      });
      if (!response.ok) throw new Error(await response.text());
      globalThis.sessions += 1;
      return response.json();
    },
    onState: (state) => globalThis.states.push(state),
    ...options,
  });
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
