// Records the phases of one start in the page, by wrapping the functions of the browser that the package calls. It runs in the
// page before the package is imported.

/** Installs the wrappers. `globalThis.phases` then maps each phase to its first time, as `performance.now()`. */
export function recordPhases() {
  const phases = (globalThis.phases = {});
  globalThis.mark = (phase) => (phases[phase] ??= performance.now());
  const { mark } = globalThis;

  const { fetch } = globalThis;
  globalThis.fetch = async (address, ...rest) => {
    const isSession = String(address).includes('/session');
    if (isSession) mark('session requested');
    const response = await fetch(address, ...rest);
    if (isSession) mark('session answered');
    return response;
  };

  for (const name of ['instantiateStreaming', 'instantiate']) {
    const original = WebAssembly[name];
    WebAssembly[name] = async (...given) => {
      mark('core evaluated');
      const instantiated = await original.apply(WebAssembly, given);
      mark('core compiled');
      return instantiated;
    };
  }

  const { WebSocket } = globalThis;
  globalThis.WebSocket = class extends WebSocket {
    constructor(...given) {
      mark('socket requested');
      super(...given);
      this.addEventListener('open', () => mark('socket open'));
      this.addEventListener('message', () => mark('welcome'));
    }

    send(bytes) {
      mark('hello sent');
      super.send(bytes);
    }
  };
}

/** Imports the package, and connects, subscribes and publishes. Returns the time of each phase since the import. */
export async function startTimed() {
  const { mark, phases } = globalThis;
  const began = performance.now();
  await import('/app.js');
  mark('imported');
  globalThis.start({ onState: (state) => state === 'connected' && mark('connected') });
  await globalThis.subscribe('absences');
  mark('subscribed');
  await globalThis.realtime.publish('absences', { first: true });
  while (globalThis.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 0));
  mark('first message');
  const core = performance.getEntriesByType('resource').find(({ name }) => name.includes('/core-'));
  const times = { 'core requested': core.startTime, 'core fetched': core.responseEnd, ...phases };
  return {
    core: globalThis.realtime.core,
    phases: Object.entries(times).map(([phase, time]) => [phase, time - began]),
  };
}
