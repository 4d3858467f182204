// The process in which the app's functions run: loads the webpack bundle and gives it the globals of the Forge runtime.
// Started by functions.mjs; everything that needs the platform (storage, Jira) goes back there as a message.
'use strict';
const { AsyncLocalStorage } = require('node:async_hooks');
const { EgressFilteringService } = require('@forge/egress');

/** @type {AsyncLocalStorage<{ id: number, runtime: object }>} */
const invocations = new AsyncLocalStorage();
/** @type {Map<number, { resolve: (response: Response) => void, reject: (error: Error) => void }>} */
const calls = new Map();
/** @type {Map<string, (...args: unknown[]) => unknown>} */
let handlers = new Map();
let lastCall = 0;

/** @param {object} message */
const send = (message) => process.send?.(message);

/**
 * Asks the platform, for the invocation that is running. Which installation and user that is, the platform knows.
 * @param {object} target
 * @param {string} path
 * @param {{ method?: string, body?: string }} [init]
 */
function forgeFetch(target, path, init = {}) {
  const invocation = invocations.getStore();
  if (!invocation) throw new Error('The Forge platform can only be asked while a function is running.');
  const call = ++lastCall;
  const { method = 'GET', body = '' } = init;
  send({ type: 'platform', call, invocation: invocation.id, target, path, method, body });
  return new Promise((resolve, reject) => calls.set(call, { resolve, reject }));
}

/**
 * As on the platform, a function reaches only the addresses that the manifest names.
 * @param {string[]} allowed
 */
function restrictEgress(allowed) {
  const filter = new EgressFilteringService(allowed);
  const unrestricted = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    if (!filter.isValidUrl(url)) {
      throw new Error(
        `The manifest does not list ${new URL(url).origin} in permissions.external.fetch.backend.`,
      );
    }
    return unrestricted(input, init);
  };
}

/** @param {any} message */
async function invoke({ invocation, handler, event, backendRuntimePayload, runtime }) {
  try {
    const run = handlers.get(handler);
    if (!run) throw new Error(`The bundle does not export '${handler}'.`);
    const result = await invocations.run({ id: invocation, runtime }, () =>
      run(event, backendRuntimePayload),
    );
    send({ type: 'result', invocation, result });
  } catch (error) {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    send({ type: 'error', invocation, error: { name, message, stack } });
  }
}

process.on('message', (/** @type {any} */ message) => {
  switch (message.type) {
    case 'load':
      restrictEgress(message.egress);
      handlers = new Map(Object.entries(require(message.bundle)));
      return send({ type: 'loaded' });
    case 'invoke':
      return void invoke(message);
    case 'answer': {
      const call = calls.get(message.call);
      calls.delete(message.call);
      if (message.error) return call?.reject(new Error(message.error));
      return call?.resolve(new Response(message.body || null, { status: message.status }));
    }
  }
});

Object.defineProperty(globalThis, '__forge_runtime__', { get: () => invocations.getStore()?.runtime });
Object.defineProperty(globalThis, '__forge_fetch__', { value: forgeFetch });
