// Payloads, names and ids of messages.
import assert from 'node:assert/strict';
import { listen, mustAccept, mustRefuse, mustReject } from './expect.mjs';
import { issue } from './pages.mjs';

export const messages = {
  async 'values that JSON would lose are refused in payloads, claims and streams'({ page, resolver }) {
    const context = issue('7');
    const ada = page({ context });
    const { receives } = await listen(ada, 'n');
    for (const lost of [
      new Map(),
      Promise.resolve(1),
      new Uint8Array(2),
      new Error('x'),
      NaN,
      () => {},
      1n,
    ]) {
      const payload = { list: [lost] };
      await mustReject(ada.publish('n', payload), 'INVALID_ARGUMENT');
      await mustReject(resolver.publish('n', payload, { context }), 'INVALID_ARGUMENT');
      await mustReject(resolver.signRealtimeToken('n', payload, undefined, { context }), 'INVALID_ARGUMENT');
      const stream = resolver.createStream('s', { context });
      await mustReject(stream.write(lost), 'INVALID_ARGUMENT');
      await mustReject(resolver.publishStream('s', [lost], { context }), 'INVALID_ARGUMENT');
      await stream.end();
    }
    await mustAccept(ada.publish('n', { at: new Date(0), gone: undefined }));
    assert.deepEqual(await receives(1), [{ at: '1970-01-01T00:00:00.000Z' }]);
  },

  async 'names with a lone surrogate are refused, and a composed accent differs from a decomposed one'({
    page,
    resolver,
  }) {
    const context = issue('7');
    const ada = page({ context });
    for (const name of ['\ud800', '\udc00', 'a\ud83d']) {
      await mustReject(
        ada.subscribe(name, () => {}),
        'NAME_INVALID',
      );
      await mustReject(ada.publish(name, 'x'), 'NAME_INVALID');
      await mustReject(resolver.publish(name, 'x', { context }), 'NAME_INVALID');
    }
    const composed = await listen(ada, '\u00e9');
    await mustAccept(ada.publish('e\u0301', 'decomposed'));
    await mustAccept(resolver.publish('\u00e9', 'composed', { context }));
    assert.deepEqual(await composed.receives(1), ['composed']);
  },

  async 'a message carries its channel, its name, its event id and its times'({ page }) {
    const before = Date.now();
    const ada = page({ context: issue('7') });
    const { receives, events } = await listen(ada, 'n');
    const result = await mustAccept(ada.publish('n', 'x', { eventName: 'added' }));
    await receives(1);
    const { eventId, timestamp, publishedAt, ...rest } = events[0];
    assert.deepEqual(rest, { channel: 'n', name: 'added' });
    assert.equal(eventId, result.eventId);
    assert.match(eventId, /^[0-9a-f]{16}-\d+$/);
    assert.equal(String(timestamp), result.eventTimestamp);
    // The clock of a page is behind by the time for which its session travelled, which is before the first subscription.
    assert.ok(publishedAt >= before - 1 && publishedAt <= Date.now() + 1, `${publishedAt - before} ms`);
  },

  async 'a repeated message under an id of the app is accepted once, and other content is refused'({
    page,
    resolver,
    restart,
  }) {
    const [ada, ben] = [page({ context: issue('7') }), page({ context: issue('7') })];
    const { events, receives } = await listen(ada, 'n');
    const once = { idempotencyId: 'note-1/2' };
    const first = await mustAccept(ada.publish('n', { a: 1 }, once));
    const again = await mustAccept(ben.publish('n', { a: 1 }, once));
    assert.equal(again.eventId, first.eventId);
    await mustRefuse(ada.publish('n', { a: 2 }, once), 'ID_REUSED');
    await mustAccept(ada.publish('m', { a: 1 }, once));
    await mustAccept(ada.publish('n', { a: 2 }, { idempotencyId: 'note-1/3' }));
    const context = issue('7');
    const job = await mustAccept(resolver.publish('n', 'job', { ...once, context }));
    const rerun = await mustAccept(resolver.publish('n', 'job', { ...once, context }));
    assert.equal(rerun.eventId, job.eventId);
    await mustRefuse(resolver.publish('n', 'other', { ...once, context }), 'ID_REUSED');
    assert.deepEqual(await receives(3), [{ a: 1 }, { a: 2 }, 'job']);
    const { publishedAt, timestamp } = events[0];
    assert.ok(
      Math.abs(publishedAt - timestamp) < 60_000,
      `sealed at ${publishedAt}, accepted at ${timestamp}`,
    );
    await restart();
    const anew = await mustAccept(ada.publish('n', { a: 1 }, once));
    assert.notEqual(anew.eventId, first.eventId);
  },
};
