// Runs the same behaviours on the in-memory relay of sealwire/testing, and on a real relay with the real core in Node.
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRealtime } from 'sealwire';
import { createTestRelay } from 'sealwire/testing';
import { WebSocket } from 'undici';
import { createBackend } from './support/backend.mjs';
import { behaviours, behavioursOfNames } from './support/contract/index.mjs';
import { startTcpProxy } from './support/tcp-proxy.mjs';
import { startRelay } from './support/relay.mjs';

globalThis.WebSocket ??= WebSocket;

const inMemory = (app) => ({
  async start() {
    const relay = createTestRelay({ replaySeconds: 6 });
    const pages = [];
    return {
      page(options) {
        const { authorize = () => true } = options;
        const page = relay.realtime({
          ...options,
          ...(app.blindNames && { resolver: relay.resolver({ ...app, authorize }) }),
        });
        pages.push(page);
        return page;
      },
      resolver: relay.resolver(app),
      cut: () => relay.cut(),
      restore: () => relay.mend(),
      restart: async () => relay.restart(),
      outlastWindow: async () => relay.forget(),
      async stop() {
        for (const page of pages) page.close();
      },
    };
  },
});

const real = (core, app) => ({
  async start() {
    const relay = await startRelay('replay_window = "6s"');
    const proxy = await startTcpProxy(relay.port);
    const { direct, secrets } = createBackend(relay, proxy.port, app);
    const pages = [];
    return {
      page({ context, authorize, ...options }) {
        const backend = createBackend(relay, proxy.port, {
          ...app,
          secrets,
          ...(authorize && { authorize }),
        });
        const session = (request) => backend.session(context, request);
        const page = createRealtime({ session, core, ...options });
        pages.push(page);
        return page;
      },
      resolver: direct,
      cut: () => proxy.cut(),
      restore: () => proxy.restore(),
      async restart() {
        await relay.kill();
        await relay.restart();
      },
      outlastWindow: () => sleep(6_500),
      async stop() {
        for (const page of pages) page.close();
        await proxy.stop();
        await relay.stop();
      },
    };
  },
});

const BLIND = { blindNames: true };

for (const [where, starter, shown] of [
  ['in memory', inMemory({}), behaviours],
  ['on a real relay', real('wasm', {}), behaviours],
  ['in memory, with blind names', inMemory(BLIND), behavioursOfNames],
  ['on a real relay, with blind names', real('wasm', BLIND), behavioursOfNames],
]) {
  for (const [name, behaviour] of Object.entries(shown)) {
    test(`${name} (${where})`, async () => {
      const system = await starter.start();
      try {
        await behaviour(system);
      } finally {
        await system.stop();
      }
    });
  }
}
