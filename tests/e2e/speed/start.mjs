// Measures in Chromium the time from importing the package to the first delivered message, and the memory that this takes.
// The page loads the core, fetches a session, connects, subscribes and publishes, all on this machine.
// `cargo xtask client-speed` runs it.
import { startSystem } from '../support/system.mjs';

const RUNS = 15;

/** Returns a function that measures a page's heap in KB, including buffers and the memory of WebAssembly. */
async function heapOf(page) {
  const session = await page.context().newCDPSession(page);
  return async () => {
    await session.send('HeapProfiler.collectGarbage');
    const { usedSize, backingStorageSize } = await session.send('Runtime.getHeapUsage');
    return (usedSize + backingStorageSize) / 1000;
  };
}

async function measure(webAssembly) {
  const system = await startSystem({ webAssembly });
  const times = [];
  try {
    for (let run = 0; run < RUNS; run += 1) {
      const page = await system.openBlank('anna');
      const heap = await heapOf(page);
      const before = await heap();
      const time = await page.evaluate(async () => {
        const began = performance.now();
        await import('/page.js');
        const imported = performance.now();
        let connected;
        const phases = {};
        globalThis.start({
          onState: (state) => {
            if (state === 'connected') connected ??= performance.now();
          },
          onDebug: ({ type, event, frame }) => (phases[event ?? frame ?? type] ??= performance.now() - began),
        });
        await globalThis.subscribe('absences');
        const subscribed = performance.now();
        await globalThis.realtime.publish('absences', { first: true });
        while (globalThis.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 0));
        const ended = (part) =>
          performance.getEntriesByType('resource').find(({ name }) => name.includes(part))?.responseEnd -
          began;
        return {
          // The debug event `session` marks its request; the response time below replaces it.
          ...phases,
          imported: imported - began,
          fetched: ended('/core-'),
          session: ended('/session'),
          core: globalThis.realtime.core,
          connected: connected - began,
          subscribed: subscribed - began,
          delivered: performance.now() - began,
        };
      });
      times.push({ ...time, memory: (await heap()) - before });
      await page.context().close();
    }
  } finally {
    await system.stop();
  }
  return times;
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

console.log(`Milliseconds from import, median of ${RUNS} new pages (smallest to largest):`);
for (const webAssembly of [true, false]) {
  const times = await measure(webAssembly);
  const show = (name) => {
    const values = times.map((time) => time[name]);
    return `${median(values).toFixed(0)} (${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)})`;
  };
  console.log(
    `${times[0].core.padEnd(5)} imported ${show('imported')}, core fetched ${show('fetched')}, session fetched ${show('session')}, ` +
      `socket requested ${show('connecting')}, socket open ${show('open')}`,
  );
  console.log(
    `${times[0].core.padEnd(5)} connected ${show('connected')}, subscribed ${show('subscribed')}, first message ${show('delivered')}; ${show('memory')} KB`,
  );
}
