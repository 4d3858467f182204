// A user's screen with a component of UI Kit: @forge/react runs unchanged and renders for a stand-in of the platform's bridge,
// and the realtime client is a page of the test relay.
import path from 'node:path';
import * as esbuild from 'esbuild';

/** @typedef {import('./app.mjs').App} App */
/** @typedef {import('sealwire/testing').TestRelay} TestRelay */
/**
 * A component as one user sees it. `component` is the name of an export of `file`, which is a file of the app.
 * @typedef {object} View
 * @property {App} app
 * @property {string} file
 * @property {string} component
 * @property {any} handler
 * @property {import('sealwire/resolver').ForgeContext} context
 * @property {string} accountId
 * @property {(accountId: string, path: string) => unknown} product answers a request to the product
 */
/**
 * An element, as @forge/react passes it to the platform.
 * @typedef {{ type: string, props: any, children: Element[] }} Element
 */

const LIMIT_MS = 10_000;

/** A request whose relative address is below that of a page, as in a browser. */
class PageRequest extends Request {
  /**
   * @param {string} address
   * @param {RequestInit} [init]
   */
  constructor(address, init) {
    super(new URL(address, 'https://page.example'), init);
  }
}

export class UiKitScreen {
  /** The user's client, which a test also passes to `relay.invoke`. */
  realtime;
  /** @type {Element | undefined} */
  #root;
  /** @type {Set<() => void>} */
  #waiting = new Set();

  /** @param {import('sealwire').Realtime} realtime */
  constructor(realtime) {
    this.realtime = realtime;
  }

  /**
   * Renders the component.
   * @param {TestRelay} relay
   * @param {View} view
   */
  static async open(relay, { app, file, component, handler, context, accountId, product }) {
    const screen = new UiKitScreen(relay.realtime({ context, accountId, handler }));
    /**
     * @param {string} command
     * @param {any} given
     */
    const callBridge = async (command, given) => {
      switch (command) {
        case 'reconcile':
          return screen.#reconciled(given.forgeDoc);
        case 'getContext':
          return { ...context, accountId };
        case 'invoke':
          return relay.invoke(handler, given.functionKey, given.payload, screen.realtime);
        case 'fetchProduct':
          return answered(product(accountId, given.restPath));
        default:
          throw new Error(`The test platform has no command ${command} of the bridge.`);
      }
    };
    // Each screen has a global object of its own, since the bridge belongs to it.
    const scope = Object.assign(Object.create(globalThis), { __bridge: { callBridge } });
    const run = new Function(
      'globalThis',
      'self',
      'Request',
      `${await bundled(app.path(file), component)}\nreturn entry;`,
    );
    run(scope, scope, PageRequest).render(screen.realtime);
    return screen;
  }

  /** The text that the user reads: text, and the accounts of `User` elements. */
  get text() {
    return (this.#root ? [...textsOf(this.#root)] : []).join(' ').replaceAll(/\s+/g, ' ').trim();
  }

  /**
   * Clicks the button with this text.
   * @param {string} label
   */
  click(label) {
    const button = this.#find((one) => one.type === 'Button' && [...textsOf(one)].join('') === label);
    if (!button) throw new Error(`The panel has no button "${label}": ${this.text}`);
    button.props.onClick({});
  }

  /**
   * Resolves as soon as the text matches. Rejects after ten seconds.
   * @param {RegExp} pattern
   * @returns {Promise<void>}
   */
  shows(pattern) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`The panel does not show ${pattern}: ${this.text}`));
      }, LIMIT_MS);
      const check = () => {
        if (!pattern.test(this.text)) return;
        this.#waiting.delete(check);
        clearTimeout(timer);
        resolve();
      };
      this.#waiting.add(check);
      check();
    });
  }

  /** @param {Element} root */
  #reconciled(root) {
    this.#root = root;
    for (const check of [...this.#waiting]) check();
  }

  /**
   * @param {(element: Element) => boolean} matches
   * @returns {Element | undefined}
   */
  #find(matches) {
    const search = [this.#root];
    for (let element; (element = search.shift()); search.push(...element.children)) {
      if (matches(element)) return element;
    }
    return undefined;
  }
}

/**
 * @param {Element} element
 * @returns {Generator<string>}
 */
function* textsOf({ type, props, children }) {
  if (type === 'String') yield String(props.text);
  if (type === 'User') yield `@${props.accountId}`;
  for (const child of children) yield* textsOf(child);
}

/** @param {unknown} found */
function answered(found) {
  const status = found === undefined ? 404 : 200;
  const headers = { 'content-type': 'application/json' };
  return { body: JSON.stringify(found ?? {}), headers, status, statusText: '' };
}

/**
 * Bundles a component with a function that renders it below a provider of the client.
 * @param {string} file
 * @param {string} component
 */
async function bundled(file, component) {
  const contents = `
    import React from 'react';
    import ForgeReconciler from '@forge/react';
    import { RealtimeProvider } from 'sealwire/react';
    import { ${component} as Component } from ${JSON.stringify(file)};
    export const render = (realtime) => ForgeReconciler.render(
      React.createElement(RealtimeProvider, { realtime }, React.createElement(Component)),
    );`;
  const { outputFiles } = await esbuild.build({
    stdin: { contents, resolveDir: path.dirname(file) },
    bundle: true,
    format: 'iife',
    globalName: 'entry',
    platform: 'browser',
    define: { 'process.env.NODE_ENV': '"production"' },
    write: false,
    logLevel: 'silent',
  });
  return outputFiles.map(({ text }) => text).join('\n');
}
