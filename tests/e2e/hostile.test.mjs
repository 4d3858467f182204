// Messages from a publisher without the channel's key are never delivered to the app.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { publisherThrough } from './support/backend.mjs';
import { problems, received, receivedCount, startSystem } from './support/system.mjs';

/** Publishes as a backend that has the signing key, and alters the message before it is posted. */
async function forge(system, change) {
  const publish = publisherThrough(system, (url, request) => {
    const body = JSON.parse(request.body);
    change(body.messages[0]);
    return fetch(url, { ...request, body: JSON.stringify(body) });
  });
  const result = await publish({ genuine: true });
  assert.equal(result.errors, undefined);
}

test('altered, relabelled, truncated and foreign messages become one error each, and the channel continues', async () => {
  const system = await startSystem();
  try {
    const page = await system.open('ben');
    await page.evaluate(() => globalThis.subscribe('absences'));
    const altered = (index) => (message) => {
      const bytes = Buffer.from(message.sealed, 'base64');
      bytes[index < 0 ? bytes.length + index : index] ^= 1;
      message.sealed = bytes.toString('base64');
    };
    await forge(system, altered(40));
    await forge(system, altered(-1));
    await forge(system, altered(10));
    await forge(system, (message) => void (message.event = 'relabelled'));
    await forge(system, (message) => {
      message.sealed = Buffer.from(message.sealed, 'base64').subarray(0, -1).toString('base64');
    });
    await forge(system, (message) => {
      const foreign = Buffer.concat([Buffer.from(message.sealed, 'base64').subarray(0, 5), randomBytes(90)]);
      message.sealed = foreign.toString('base64');
    });
    await forge(system, () => {});
    await receivedCount(page, 1);
    assert.deepEqual(await received(page), [{ genuine: true }]);
    const codes = (await problems(page)).map(({ code }) => code);
    assert.deepEqual(codes, Array(6).fill('MESSAGE_UNREADABLE'));
  } finally {
    await system.stop();
  }
});
