// A user's screen: a page of an app in jsdom. Its bridge calls the app's functions, and its realtime client is a page of the
// test relay.
import { readFile } from 'node:fs/promises';
import * as esbuild from 'esbuild';
import { JSDOM } from 'jsdom';
import * as sealwire from 'sealwire';

/** @typedef {import('./app.mjs').App} App */
/** @typedef {import('sealwire/testing').TestRelay} TestRelay */
/**
 * A page of an app as one user sees it. `script` and `html` are files of the app.
 * @typedef {object} View
 * @property {App} app
 * @property {string} script
 * @property {string} html
 * @property {any} handler
 * @property {import('sealwire/resolver').ForgeContext} context
 * @property {string} accountId
 */

const LIMIT_MS = 10_000;
/** The timers of this process, also while a test replaces them. */
const { setTimeout: realSetTimeout, clearTimeout } = globalThis;

/** An async function whose body is a script with `await` at its top level. */
const Script = /** @type {FunctionConstructor} */ ((async () => {}).constructor);

export class Screen {
  /** The user's client, which a test also passes to `relay.invoke`. */
  realtime;
  /** The values that the page passed to `view.submit()`. */
  submitted = /** @type {any[]} */ ([]);
  #dom;

  /**
   * @param {JSDOM} dom
   * @param {sealwire.Realtime} realtime
   */
  constructor(dom, realtime) {
    this.#dom = dom;
    this.realtime = realtime;
  }

  /**
   * Opens the page, and waits until its script has run.
   * @param {TestRelay} relay
   * @param {View} view
   */
  static async open(relay, { app, script, html, handler, context, accountId }) {
    const dom = new JSDOM(await readFile(app.path(html), 'utf8'));
    const screen = new Screen(dom, relay.realtime({ context, accountId, handler }));
    const bridge = {
      invoke: (/** @type {string} */ functionKey, /** @type {unknown} */ payload) =>
        relay.invoke(handler, functionKey, payload, screen.realtime),
      view: {
        getContext: async () => ({ ...context, accountId }),
        submit: async (/** @type {unknown} */ value) => void screen.submitted.push(value),
        theme: { enable: async () => {} },
      },
    };
    const { document, FormData } = dom.window;
    const run = Script('document', 'FormData', 'bridge', 'sealwire', await bundled(app.path(script)));
    await run(document, FormData, bridge, { ...sealwire, realtime: screen.realtime });
    return screen;
  }

  get document() {
    return this.#dom.window.document;
  }

  /** The text that the user reads, without hidden elements. */
  get text() {
    const texts = [];
    const walker = this.document.createTreeWalker(this.document.body, this.#dom.window.NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      if (!walker.currentNode.parentElement?.closest('[hidden]')) texts.push(walker.currentNode.nodeValue);
    }
    return texts.join(' ').replaceAll(/\s+/g, ' ').trim();
  }

  /**
   * Returns the element of a selector, and fails if there is none.
   * @param {string} selector
   * @returns {any}
   */
  find(selector) {
    const found = this.document.querySelector(selector);
    if (!found) throw new Error(`The page has no ${selector}: ${this.text}`);
    return found;
  }

  /**
   * Clicks the button with this text.
   * @param {string} label
   */
  click(label) {
    const button = [...this.document.querySelectorAll('button')].find((one) => one.textContent === label);
    if (!button) throw new Error(`The page has no button "${label}": ${this.text}`);
    button.click();
  }

  /**
   * Types into a field.
   * @param {string} selector
   * @param {string} text
   */
  type(selector, text) {
    const field = this.find(selector);
    field.value = text;
    field.dispatchEvent(new this.#dom.window.Event('input', { bubbles: true }));
  }

  /**
   * Resolves as soon as the page's text matches. Rejects after ten seconds.
   * @param {RegExp} pattern
   * @returns {Promise<void>}
   */
  shows(pattern) {
    return new Promise((resolve, reject) => {
      const failed = () => reject(new Error(`The page does not show ${pattern}: ${this.text}`));
      const timer = realSetTimeout(failed, LIMIT_MS);
      const observer = new this.#dom.window.MutationObserver(() => check());
      const check = () => {
        if (!pattern.test(this.text)) return;
        observer.disconnect();
        clearTimeout(timer);
        resolve();
      };
      observer.observe(this.document, {
        subtree: true,
        childList: true,
        characterData: true,
        attributes: true,
      });
      check();
    });
  }
}

/**
 * Bundles a page's script. Its imports of the bridge and of the package become the values that the script gets.
 * @param {string} file
 */
async function bundled(file) {
  const standIns = new Map([
    ['@forge/bridge', 'export const { invoke, view } = bridge;'],
    ['sealwire', `export const { ${Object.keys(sealwire).join(', ')} } = sealwire;`],
  ]);
  const { outputFiles } = await esbuild.build({
    entryPoints: [file],
    bundle: true,
    format: 'esm',
    write: false,
    logLevel: 'silent',
    plugins: [
      {
        name: 'stand-ins',
        setup(build) {
          build.onResolve({ filter: /^(@forge\/bridge|sealwire)$/ }, ({ path }) => ({
            path,
            namespace: 'stand-in',
          }));
          build.onLoad({ filter: /.*/, namespace: 'stand-in' }, ({ path }) => ({
            contents: standIns.get(path) ?? '',
          }));
        },
      },
    ],
  });
  return outputFiles.map(({ text }) => text).join('\n');
}
