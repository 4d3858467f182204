// Publishes messages to a relay's replay cache, and measures how fast a new page receives them.

const IN_FLIGHT = 64;
/** The settings of a relay that limits neither the publisher nor the replay. */
export const RELAY = 'publish_rate = 1000000\npublish_burst = 1000000\nreplay_rate_per_session = "1GiB"';

/** Publishes as a page, which signs if `signed` is true. */
export async function publish(system, channel, bytes, count, signed = false) {
  const page = await system.open('anna', '10001', { signed });
  await page.evaluate(
    async ([name, payload, total, inFlight]) => {
      let left = total;
      const publisher = async () => {
        while (left-- > 0) {
          const { errors } = await globalThis.realtime.publish(name, payload);
          if (errors) throw new Error(errors.join());
        }
      };
      await Promise.all(Array.from({ length: inFlight }, publisher));
    },
    [channel, 'x'.repeat(bytes - '""'.length), count, IN_FLIGHT],
  );
  await page.context().close();
}

/** Returns the messages per second of a new page that replays a channel, with or without the browser's AES-GCM. */
export async function receive(system, channel, count, hasWebCrypto) {
  const page = await system.openBlank('anna');
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
          // The relay is younger than the requested replay, so it reports that earlier messages may be missing.
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
