// The page under test as a gadget that takes commands from its dashboard, for browsers without a driver.
import './page.js';

/** Returns whether the browser permits this frame to call `use`. */
async function works(use) {
  try {
    await use();
    return true;
  } catch {
    return false;
  }
}

const commands = {
  start: (options) => globalThis.start(options),
  subscribe: (channel, options) => globalThis.subscribe(channel, options),
  publish: (channel, payload, options) => globalThis.realtime.publish(channel, payload, options),
  close: () => globalThis.realtime.close(),
  state: () => ({
    received: globalThis.received.map(({ payload }) => payload),
    problems: globalThis.problems.map(({ code }) => code),
    states: globalThis.states,
    core: globalThis.realtime?.core,
    transport: globalThis.realtime?.transport,
  }),
  async facilities() {
    document.cookie = 'sealwire=1';
    return {
      cookies: document.cookie.includes('sealwire=1'),
      localStorage: await works(() => localStorage.getItem('x')),
      sessionStorage: await works(() => sessionStorage.getItem('x')),
      broadcastChannel: await works(() => new BroadcastChannel('x').close()),
      locks: await works(() => navigator.locks.request('x', () => {})),
    };
  },
};

const tell = (message) => parent.postMessage(message, '*');

addEventListener('message', async ({ data, source }) => {
  if (source !== parent || !data?.command) return;
  const [id, name, ...given] = data.command;
  try {
    tell({ answer: { id, value: await commands[name](...given) } });
  } catch (error) {
    tell({ answer: { id, error: `${error.code ?? error.name}: ${error.message}` } });
  }
});
addEventListener('error', ({ message }) => tell({ problem: message }));
addEventListener('unhandledrejection', ({ reason }) => tell({ problem: String(reason) }));
tell({ ready: location.href });
