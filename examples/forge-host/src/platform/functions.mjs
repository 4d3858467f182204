// Runs the app's functions in one process, which loads the webpack bundle and has the Forge variables as its environment.
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { answerJira } from './jira-api.mjs';
import { contextToken } from './context-token.mjs';
import { SITE } from './members.mjs';
import { answerStorage } from './storage-api.mjs';

/** @typedef {import('./members.mjs').Member} Member */

const PROCESS = fileURLToPath(new URL('function-process.cjs', import.meta.url));

/** @typedef {{ installation: string, accountId: string, resolve: (result: unknown) => void, reject: (error: Error) => void }} Invocation */

export class Functions {
  #process;
  #storage;
  /** @type {Map<number, Invocation>} */
  #running = new Map();
  #last = 0;

  /**
   * @param {import('node:child_process').ChildProcess} process
   * @param {import('./storage.mjs').Storage} storage
   */
  constructor(process, storage) {
    this.#process = process;
    this.#storage = storage;
    process.on('message', (message) => this.#receive(message));
    process.on('exit', () => {
      for (const { reject } of this.#running.values()) reject(new Error('The function process ended.'));
      this.#running.clear();
    });
  }

  /**
   * @param {{ bundle: string, variables: Record<string, string>, egress: string[], storage: import('./storage.mjs').Storage }} options
   * `egress`: permissions.external.fetch.backend of the manifest
   */
  static async start({ bundle, variables, egress, storage }) {
    const process = fork(PROCESS, { env: variables, serialization: 'advanced' });
    const functions = new Functions(process, storage);
    process.send({ type: 'load', bundle, egress });
    const [first] = await Promise.race([
      once(process, 'message'),
      once(process, 'exit').then(() => {
        throw new Error('The app could not be loaded; see the error above.');
      }),
    ]);
    if (first.type !== 'loaded') throw new Error('The function process did not load the bundle.');
    return functions;
  }

  /**
   * Invokes a resolver function as Forge does for a Custom UI. The call supplies `context`, and as on the platform a user can
   * replay a call with another one. The runtime object holds the values that the platform knows.
   * @param {Member} member
   * @param {{ moduleKey: string, handler: string, context: Record<string, unknown>, functionKey: string, payload: unknown }} call
   * @returns {Promise<unknown>}
   */
  invoke(member, { moduleKey, handler, context, functionKey, payload }) {
    const invocation = ++this.#last;
    const { installContext, installationId } = SITE;
    const { accountId } = member;
    this.#process.send({
      type: 'invoke',
      invocation,
      handler,
      // The platform passes the user and the installation separately from the context of the page.
      event: { call: { functionKey, payload }, context: withoutAccount(context) },
      backendRuntimePayload: {
        installContext,
        principal: { accountId },
        installation: { ari: { installationId }, contexts: [{ cloudId: SITE.cloudId }] },
      },
      runtime: {
        appContext: {
          appId: 'local',
          appVersion: '0.0.0',
          environmentId: SITE.environmentId,
          environmentType: 'DEVELOPMENT',
          invocationId: randomUUID(),
          installationId,
          functionKey: handler,
          moduleType: 'jira:dashboardGadget',
          moduleKey,
        },
        aaid: accountId,
        contextAri: installContext,
        realtime: { contextToken: contextToken(member, moduleKey) },
        lambdaContext: {},
        tracing: { traceId: '0', spanId: '0' },
      },
    });
    return new Promise((resolve, reject) => {
      this.#running.set(invocation, { installation: installContext, accountId, resolve, reject });
    });
  }

  async stop() {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill();
    await once(this.#process, 'exit');
  }

  /** @param {any} message */
  #receive(message) {
    const invocation = this.#running.get(message.invocation);
    switch (message.type) {
      case 'result':
        this.#running.delete(message.invocation);
        return invocation?.resolve(message.result);
      case 'error':
        this.#running.delete(message.invocation);
        return invocation?.reject(
          Object.assign(new Error(message.error.message), { stack: message.error.stack }),
        );
      case 'platform':
        return this.#process.send({
          type: 'answer',
          call: message.call,
          ...this.#answer(invocation, message),
        });
    }
  }

  /**
   * @param {Invocation | undefined} invocation
   * @param {{ target: { type: string, remote?: string }, path: string, method: string, body: string }} request
   */
  #answer(invocation, { target, path, method, body }) {
    if (!invocation) return { error: 'The invocation has ended.' };
    if (target.type === 'kvs') return answerStorage(this.#storage.of(invocation.installation), path, body);
    if (target.type === 'fpp' && target.remote === 'jira')
      return answerJira(invocation.accountId, method, path);
    return { error: `This local host does not implement '${target.remote ?? target.type}'.` };
  }
}

/** @param {Record<string, unknown>} context */
function withoutAccount({ accountId: _, ...context }) {
  return context;
}
