// Measures in Chromium the number of messages per second that a page decodes, opens and passes to a callback, and the speed
// of WebCrypto's AES-GCM and ECDSA alone. The messages are in the relay's replay cache, so that no publisher is measured.
// `cargo xtask client-speed` runs it.
import { contextOf } from '../support/backend.mjs';
import { startSystem } from '../support/system.mjs';
import { median } from './median.mjs';
import { publish, receive, RELAY } from './messages.mjs';

const RUNS = 5;
/** The sizes of payloads in bytes, each with the number of messages. */
const LOADS = [
  [100, 20_000],
  [1024, 10_000],
  [4096, 3_000],
  [16_384, 1_000],
];
const IN_FLIGHT = 64;

/** Publishes as a function, which signs each message. */
async function publishSigned(system, channel, bytes, count) {
  const context = contextOf('anna', '10001');
  const payload = 'x'.repeat(bytes - '""'.length);
  let left = count;
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      while (left-- > 0) {
        const { errors } = await system.backend.publish(channel, payload, { context });
        if (errors) throw new Error(JSON.stringify(errors));
      }
    }),
  );
}

/**
 * Returns WebCrypto's AES-256-GCM decryptions per second, one by one and 64 at once. Each imports a new key, as XAES needs.
 */
async function webCrypto(system, bytes) {
  const page = await system.openBlank('anna');
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

/** Returns WebCrypto's signatures of ECDSA with P-256 per second, and verifications, 64 at once. */
async function ecdsa(system) {
  const page = await system.openBlank('anna');
  const rates = await page.evaluate(async (inFlight) => {
    const { subtle } = crypto;
    const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
    const pair = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
    const text = crypto.getRandomValues(new Uint8Array(200));
    const signature = await subtle.sign(algorithm, pair.privateKey, text);
    const rate = async (call) => {
      const count = 4000;
      const began = performance.now();
      for (let index = 0; index < count; index += inFlight) {
        await Promise.all(Array.from({ length: inFlight }, call));
      }
      return (count / (performance.now() - began)) * 1000;
    };
    return [
      await rate(() => subtle.sign(algorithm, pair.privateKey, text)),
      await rate(() => subtle.verify(algorithm, pair.publicKey, signature, text)),
    ];
  }, IN_FLIGHT);
  await page.context().close();
  return rates;
}

console.log(`Per second, median of ${RUNS} new pages (smallest to largest):`);
for (const webAssembly of [true, false]) {
  for (const [bytes, count] of LOADS) {
    const system = await startSystem({ webAssembly, relay: RELAY });
    try {
      const channel = `speed-${bytes}`;
      await publish(system, channel, bytes, count);
      const signedCount = count / 2;
      await publishSigned(system, `${channel}-signed`, bytes, signedCount);
      await publish(system, `${channel}-certified`, bytes, signedCount, true);
      const [rates, without, signed, certified] = [[], [], [], []];
      for (let run = 0; run < RUNS; run += 1) {
        rates.push(await receive(system, channel, count, true));
        without.push(await receive(system, channel, count, false));
        signed.push(await receive(system, `${channel}-signed`, signedCount, true));
        certified.push(await receive(system, `${channel}-certified`, signedCount, true));
      }
      const core = webAssembly ? 'wasm' : 'js';
      const show = (values) =>
        `${median(values).toFixed(0)} (${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)})`;
      console.log(
        `${core.padEnd(5)}${bytes} bytes: ${show(rates)} messages, ${show(without)} without WebCrypto, ` +
          `${show(signed)} signed by functions, ${show(certified)} signed by a page`,
      );
    } finally {
      await system.stop();
    }
  }
}
const system = await startSystem();
for (const [bytes] of LOADS) {
  const [alone, together] = await webCrypto(system, bytes);
  console.log(`WebCrypto ${bytes} bytes: ${alone.toFixed(0)} one by one, ${together.toFixed(0)} in parallel`);
}
const [signs, verifies] = await ecdsa(system);
console.log(`WebCrypto ECDSA: ${signs.toFixed(0)} signatures, ${verifies.toFixed(0)} verifications`);
await system.stop();
