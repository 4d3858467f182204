// Forge in this process, as far as the functions of the examples use it: storage, the products' REST APIs, the queue and the
// language model. The packages of Forge and of the app run unchanged above it.
import { AsyncLocalStorage } from 'node:async_hooks';
import { Storage } from '../../forge-host/src/platform/storage.mjs';
import { answerStorage } from '../../forge-host/src/platform/storage-api.mjs';
import { Queue } from './queue.mjs';

/**
 * Answers a request of the user to a product: a JSON value, or undefined for an object that the user may not see.
 * @typedef {(accountId: string, path: string) => unknown} Product
 */
/**
 * Answers a prompt with a stream of the pieces of the text.
 * @typedef {(prompt: any) => import('node:stream').Readable} Model
 */
/** @typedef {(request: any, runtime: any) => Promise<any>} Handler */

/** The account whose function runs. */
const caller = new AsyncLocalStorage();

export class TestPlatform {
  queue = new Queue();
  #storage = new Storage().of('installation');
  #product;
  #model;

  /**
   * Installs the platform in this process.
   * @param {{ product?: Product, model?: Model }} options
   */
  constructor({ product = () => undefined, model }) {
    this.#product = product;
    this.#model = model;
    Object.assign(globalThis, {
      __forge_fetch__: (/** @type {any} */ target, /** @type {string} */ path, /** @type {any} */ init) =>
        this.#answer(target, path, init),
    });
  }

  /**
   * Returns the app's handler as it runs on this platform: its requests to products are those of the calling user.
   * @param {Handler} handler
   * @returns {Handler}
   */
  handler(handler) {
    return (request, runtime) => caller.run(runtime.principal.accountId, () => handler(request, runtime));
  }

  /**
   * Calls a function of the app as Forge does, without a test relay, which would vouch for the context: a user can send any
   * context, and the app has to verify it. `module` is the key of the module that Forge knows to be calling.
   * @param {Handler} handler
   * @param {string} functionKey
   * @param {unknown} payload
   * @param {{ context: import('sealwire/resolver').ForgeContext, accountId: string, module?: string }} caller
   */
  async invoke(handler, functionKey, payload, { context, accountId, module = context.moduleKey }) {
    const appContext = { environmentId: 'test', moduleKey: module, moduleType: context.extension?.type };
    Object.assign(globalThis, { __forge_runtime__: { appContext, aaid: accountId } });
    try {
      const runtime = { installContext: 'ari:cloud:jira::site/test', principal: { accountId } };
      return await this.handler(handler)({ call: { functionKey, payload }, context }, runtime);
    } finally {
      Reflect.deleteProperty(globalThis, '__forge_runtime__');
    }
  }

  /**
   * Delivers an event to a trigger or consumer as Forge does: without a page and without a user.
   * @param {(event: any, context: any) => unknown} handler
   * @param {unknown} event
   */
  async deliver(handler, event) {
    Object.assign(globalThis, { __forge_runtime__: { appContext: { environmentId: 'test' } } });
    try {
      return await handler(event, { installContext: 'ari:cloud:jira::site/test' });
    } finally {
      Reflect.deleteProperty(globalThis, '__forge_runtime__');
    }
  }

  /**
   * @param {{ type?: string, provider?: string }} target
   * @param {string} path
   * @param {{ body?: any }} [init]
   * @returns {Promise<Response>}
   */
  async #answer({ type, provider }, path, { body } = {}) {
    if (path.startsWith('/api/v1/')) {
      const answer = answerStorage(this.#storage, path, body);
      return new Response(answer.body || null, { status: answer.status });
    }
    if (path.startsWith('/webhook/queue/')) return this.queue.answer(path, JSON.parse(body));
    if (type === 'llm' && this.#model) return streamed(this.#model(JSON.parse(body)));
    if (provider !== 'user') throw new Error(`The test platform has no answer for ${path}.`);
    const found = this.#product(caller.getStore(), path);
    return found === undefined ? new Response(null, { status: 404 }) : Response.json(found);
  }
}

/**
 * Returns the answer of the language model as Forge sends it: one JSON value on each line.
 * @param {import('node:stream').Readable} pieces
 */
function streamed(pieces) {
  const iterator = pieces[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  return new Response(
    new ReadableStream({
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done) return controller.close();
        const message = { role: 'assistant', content: [{ type: 'text', text: value }] };
        controller.enqueue(encoder.encode(`${JSON.stringify({ choices: [{ index: 0, message }] })}\n`));
      },
      cancel: () => void pieces.destroy(),
    }),
  );
}
