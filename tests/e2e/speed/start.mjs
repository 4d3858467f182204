// Measures, in Chromium, how long it takes from importing the package until it is connected, and to the first delivered
// message: the core is loaded, a session minted, the connection made, the channel joined and a message sent and
// received, all on this machine. And how much memory that takes. Run by `cargo xtask client-speed`.
import { setStage } from '../support/stage.mjs';

const RUNS = 15;

/** What a page's scripts hold, in KB: objects and buffers, among them the memory of WebAssembly. */
async function heapOf(page) {
  const session = await page.context().newCDPSession(page);
  return async () => {
    await session.send('HeapProfiler.collectGarbage');
    const { usedSize, backingStorageSize } = await session.send('Runtime.getHeapUsage');
    return (usedSize + backingStorageSize) / 1000;
  };
}

async function measure(webAssembly) {
  const stage = await setStage({ webAssembly });
  const times = [];
  try {
    for (let run = 0; run < RUNS; run += 1) {
      const page = await stage.openBlank('anna');
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
        const joined = performance.now();
        await globalThis.realtime.publish('absences', { first: true });
        while (globalThis.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 0));
        const ended = (part) =>
          performance.getEntriesByType('resource').find(({ name }) => name.includes(part))?.responseEnd -
          began;
        return {
          // First, since what is told of a session is that it is asked for.
          ...phases,
          imported: imported - began,
          fetched: ended('/core-'),
          session: ended('/session'),
          core: globalThis.realtime.core,
          connected: connected - began,
          joined: joined - began,
          delivered: performance.now() - began,
        };
      });
      times.push({ ...time, memory: (await heap()) - before });
      await page.context().close();
    }
  } finally {
    await stage.strike();
  }
  return times;
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

console.log(`Milliseconds from import, median of ${RUNS} fresh pages (smallest to largest):`);
for (const webAssembly of [true, false]) {
  const times = await measure(webAssembly);
  const show = (name) => {
    const values = times.map((time) => time[name]);
    return `${median(values).toFixed(0)} (${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)})`;
  };
  console.log(
    `${times[0].core.padEnd(5)} imported ${show('imported')}, core fetched ${show('fetched')}, session there ${show('session')}, ` +
      `socket asked for ${show('connecting')}, open ${show('open')}`,
  );
  console.log(
    `${times[0].core.padEnd(5)} connected ${show('connected')}, channel joined ${show('joined')}, first message ${show('delivered')}; ${show('memory')} KB`,
  );
}
