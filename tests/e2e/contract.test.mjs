// The testing aid keeps the rules of the real thing: the same behaviours on the relay in memory, and on a real relay with
// the real core in Node.
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRealtime } from 'sealwire';
import { createTestRelay } from 'sealwire/testing';
import { WebSocket } from 'undici';
import { createBackend } from './support/backend.mjs';
import { behaviours } from './support/contract.mjs';
import { startLine } from './support/line.mjs';
import { startRelay } from './support/relay.mjs';

globalThis.WebSocket ??= WebSocket;

const inMemory = {
  async set() {
    const relay = createTestRelay({ replaySeconds: 6 });
    const pages = [];
    return {
      page(options) {
        const page = relay.realtime(options);
        pages.push(page);
        return page;
      },
      resolver: relay.resolver(),
      cut: () => relay.cut(),
      mend: () => relay.mend(),
      restart: async () => relay.restart(),
      outlastWindow: async () => relay.forget(),
      async strike() {
        for (const page of pages) page.close();
      },
    };
  },
};

const real = (core) => ({
  async set() {
    const relay = await startRelay('replay_window = "6s"');
    const line = await startLine(relay.port);
    const { direct, secrets } = createBackend(relay, line.port);
    const pages = [];
    return {
      page({ context, authorize, ...options }) {
        const backend = createBackend(relay, line.port, { secrets, ...(authorize && { authorize }) });
        const session = (reason) => backend.session(context, { reason });
        const page = createRealtime({ session, core, ...options });
        pages.push(page);
        return page;
      },
      resolver: direct,
      cut: () => line.cut(),
      mend: () => line.mend(),
      async restart() {
        await relay.kill();
        await relay.restart();
      },
      outlastWindow: () => sleep(6_500),
      async strike() {
        for (const page of pages) page.close();
        await line.stop();
        await relay.stop();
      },
    };
  },
});

for (const [where, stages] of [
  ['in memory', inMemory],
  ['on a real relay', real('wasm')],
]) {
  for (const [sentence, behaviour] of Object.entries(behaviours)) {
    test(`${sentence} (${where})`, async () => {
      const stage = await stages.set();
      try {
        await behaviour(stage);
      } finally {
        await stage.strike();
      }
    });
  }
}
