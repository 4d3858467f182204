// The process in which the app's functions run. It loads the webpack bundle and provides the globals of the Forge runtime.
// functions.mjs starts it, and receives its requests to the platform (storage, Jira) as messages.
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
 * Sends a request to the platform for the current invocation. The platform knows the invocation's installation and user.
 * @param {object} target
 * @param {string} path
 * @param {{ method?: string, body?: string }} [init]
 */
function forgeFetch(target, path, init = {}) {
  const invocation = invocations.getStore();
  if (!invocation) throw new Error('The Forge platform is available only while a function is running.');
  const call = ++lastCall;
  const { method = 'GET', body = '' } = init;
  send({ type: 'platform', call, invocation: invocation.id, target, path, method, body });
  return new Promise((resolve, reject) => calls.set(call, { resolve, reject }));
}

/**
 * Restricts fetch to the addresses in the manifest, as the platform does.
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
