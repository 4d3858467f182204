// Measures, in Chromium, how many messages a second a page decodes, opens and hands to a callback, and what WebCrypto
// needs for the AES-GCM alone. The messages wait at the relay, so that neither publisher nor network is measured.
// Run by `cargo xtask client-speed`.
import { contextOf } from '../support/backend.mjs';
import { setStage } from '../support/stage.mjs';

const RUNS = 5;
/** Bytes of a payload, and how many of them. */
const LOADS = [
  [100, 20_000],
  [1024, 10_000],
  [4096, 3_000],
  [16_384, 1_000],
];
const UNDER_WAY = 64;
const RELAY = 'publish_rate = 1000000\npublish_burst = 1000000\nreplay_rate_per_session = "1GiB"';

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

async function publish(stage, channel, bytes, count) {
  const context = contextOf('anna', '10001');
  const payload = 'x'.repeat(bytes - '""'.length);
  let left = count;
  await Promise.all(
    Array.from({ length: UNDER_WAY }, async () => {
      while (left-- > 0) {
        const { errors } = await stage.backend.publish(channel, payload, { context });
        if (errors) throw new Error(JSON.stringify(errors));
      }
    }),
  );
}

/** Messages a second in a fresh page that asks for everything that waits; the browser's AES-GCM may be taken away from it. */
async function receive(stage, channel, count, hasWebCrypto) {
  const page = await stage.openBlank('anna');
  if (!hasWebCrypto) {
    await page.evaluate(() =>
      Object.defineProperty(Crypto.prototype, 'subtle', { get: () => undefined, configurable: true }),
    );
  }
  const rate = await page.evaluate(
    async ([wanted, expected]) => {
      await import('/page.js');
      globalThis.start();
      let [received, first] = [0, 0];
      const last = new Promise((resolve, reject) => {
        const callback = (_, error) => {
          // The relay is younger than the replay that is asked for, so that it cannot say that nothing came before.
          if (error?.code === 'GAP') return;
          if (error) return reject(error);
          received += 1;
          if (received === 1) first = performance.now();
          if (received === expected) resolve(performance.now());
        };
        globalThis.realtime.subscribe(wanted, callback, { replaySeconds: 120 }).catch(reject);
      });
      return ((expected - 1) / ((await last) - first)) * 1000;
    },
    [channel, count],
  );
  await page.context().close();
  return rate;
}

/** AES-256-GCM of WebCrypto a second, one after the other and 64 at once, each with a key of its own as XAES has it. */
async function webCrypto(stage, bytes) {
  const page = await stage.openBlank('anna');
  const rates = await page.evaluate(async (size) => {
    const { subtle } = crypto;
    const raw = crypto.getRandomValues(new Uint8Array(32));
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const importKey = () => subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt']);
    const sealed = await subtle.encrypt({ name: 'AES-GCM', iv }, await importKey(), new Uint8Array(size));
    const open = async () => subtle.decrypt({ name: 'AES-GCM', iv }, await importKey(), sealed);
    const count = 2000;
    const began = performance.now();
    for (let index = 0; index < count; index += 1) await open();
    const between = performance.now();
    for (let index = 0; index < count; index += 64) await Promise.all(Array.from({ length: 64 }, open));
    const ended = performance.now();
    return [(count / (between - began)) * 1000, (count / (ended - between)) * 1000];
  }, bytes);
  await page.context().close();
  return rates;
}

console.log(`A second, medians of ${RUNS} fresh pages:`);
for (const webAssembly of [true, false]) {
  for (const [bytes, count] of LOADS) {
    const stage = await setStage({ webAssembly, relay: RELAY });
    try {
      const channel = `speed-${bytes}`;
      await publish(stage, channel, bytes, count);
      const [rates, without] = [[], []];
      for (let run = 0; run < RUNS; run += 1) {
        rates.push(await receive(stage, channel, count, true));
        without.push(await receive(stage, channel, count, false));
      }
      const core = webAssembly ? 'wasm' : 'js';
      const show = (values) =>
        `${median(values).toFixed(0)} (${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)})`;
      console.log(
        `${core.padEnd(5)}${bytes} bytes: ${show(rates)} messages, ${show(without)} without WebCrypto`,
      );
    } finally {
      await stage.strike();
    }
  }
}
const stage = await setStage();
for (const [bytes] of LOADS) {
  const [alone, together] = await webCrypto(stage, bytes);
  console.log(
    `WebCrypto ${bytes} bytes: ${alone.toFixed(0)} one by one, ${together.toFixed(0)} side by side`,
  );
}
await stage.strike();
