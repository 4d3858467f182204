import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { connectOverSse } from '../../src/transport/sse-socket.js';

const real = globalThis.fetch;
afterEach(() => {
  globalThis.fetch = real;
});

interface Sent {
  secret: string;
  first: number;
  messages: string[];
}

/** Returns a relay with one stream. `answers` precede its own responses; undefined stands for a request that is lost. */
function relay(...answers: (Response | undefined)[]) {
  const sent: Sent[] = [];
  const addresses: string[] = [];
  const heard: unknown[] = [];
  let next = 0;
  let body!: ReadableStreamDefaultController<Uint8Array>;
  globalThis.fetch = async (address, init) => {
    addresses.push(String(address));
    if (String(address).endsWith('/stream')) {
      const stream = new ReadableStream<Uint8Array>({ start: (controller) => void (body = controller) });
      init?.signal?.addEventListener('abort', () => heard.push('aborted'));
      return new Response(stream, { headers: { 'content-type': 'text/event-stream' } });
    }
    const [head = '', ...messages] = String(init?.body).split('\n');
    const [secret = '', first] = head.split(' ');
    sent.push({ secret, first: Number(first), messages: messages.map(atob) });
    if (answers.length > 0) {
      const answer = answers.shift();
      if (!answer) throw new TypeError('lost');
      return answer;
    }
    next = Number(first) + messages.length;
    return Response.json({ next });
  };
  const socket = connectOverSse('wss://relay.example/prefix/v1/realtime', 'p');
  socket.onopen = (transport) => heard.push(transport);
  socket.onmessage = ({ data }) => heard.push(new TextDecoder().decode(data as ArrayBuffer));
  socket.onclose = ({ code }) => heard.push(code);
  return {
    socket,
    sent,
    addresses,
    heard,
    write: (text: string) => body.enqueue(new TextEncoder().encode(text)),
    end: () => body.close(),
    say: (text: string) => socket.send(new TextEncoder().encode(text)),
  };
}

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 10_000;
  while (!condition()) {
    assert.ok(Date.now() < end, 'it did not come about');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

test('events are assembled from arbitrary pieces', async () => {
  const { heard, addresses, write, end } = relay();
  await until(() => addresses.length === 1);
  for (const char of ': a comment\n\nevent: open\ndata: secret\n\ndata: YQ==\n\ndata: YmM=\n\n') write(char);
  await until(() => heard.length === 3);
  write('data: ZA==\n\nevent: close\ndata: 4401\n\ndata: ZQ==\n\n');
  await until(() => heard.includes(4401));
  assert.deepEqual(heard, ['http', 'a', 'bc', 'd', 'aborted', 4401]);
  assert.deepEqual(addresses, ['https://relay.example/prefix/v1/stream']);
  end();
});

test('a response that breaks off, fails or is not a stream of events is a lost connection', async () => {
  const broken = relay();
  await until(() => broken.addresses.length === 1);
  broken.end();
  await until(() => broken.heard.includes(1006));
  for (const answer of [
    new Response('no', { status: 503 }),
    new Response('<html>', { headers: { 'content-type': 'text/html' } }),
  ]) {
    globalThis.fetch = async () => answer;
    const codes: number[] = [];
    connectOverSse('wss://relay.example/v1/realtime', 'p').onclose = ({ code }) => codes.push(code);
    await until(() => codes.length > 0);
    assert.deepEqual(codes, [1006]);
  }
});

test('a stream that a gateway ends in good order is going away, and not lost', async () => {
  const { heard, addresses, write, end } = relay();
  await until(() => addresses.length === 1);
  write('event: open\ndata: secret\n\n');
  await until(() => heard.length === 1);
  end();
  await until(() => heard.includes(1001));
});

test('a refused stream reports the relay’s refusal, or the response of a gateway', async () => {
  const refusal = { code: 'ORIGIN_REFUSED', message: 'pages of this origin may not use the relay' };
  const limit = { code: 'TOO_MANY_CONNECTIONS', message: 'too many', retryAfterMs: 700 };
  for (const [answer, failure] of [
    [
      Response.json({ error: refusal }, { status: 403 }),
      { ...refusal, message: 'Pages of this origin may not use the relay.' },
    ],
    [Response.json({ error: limit }, { status: 429 }), { ...limit, message: 'Too many.' }],
    [
      new Response('<html>', { status: 403, headers: { 'content-type': 'text/html' } }),
      {
        code: 'UNREACHABLE',
        message: 'https://relay.example answered with HTTP 403, but not as a relay does',
      },
    ],
    [
      new TypeError('Failed to fetch'),
      {
        code: 'UNREACHABLE',
        message: 'https://relay.example gave no answer that the page may read (Failed to fetch)',
      },
    ],
  ] as const) {
    globalThis.fetch = async () => {
      if (answer instanceof Error) throw answer;
      return answer;
    };
    const closed: unknown[] = [];
    connectOverSse('wss://relay.example/v1/realtime', 'p').onclose = (event) => closed.push(event);
    await until(() => closed.length > 0);
    assert.deepEqual(closed, [{ code: 1006, failure }]);
  }
});

test('messages sent together share a request, later ones follow in the next, and all are numbered', async () => {
  const { say, sent, write, addresses } = relay();
  await until(() => addresses.length === 1);
  write('event: open\ndata: secret\n\n');
  await until(() => addresses.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 10));
  say('a');
  say('b');
  await until(() => sent.length === 1);
  say('c');
  await until(() => sent.length === 2);
  assert.deepEqual(sent, [
    { secret: 'secret', first: 0, messages: ['a', 'b'] },
    { secret: 'secret', first: 2, messages: ['c'] },
  ]);
});

test('a request that is lost or refused for the moment is repeated with the same numbers', async () => {
  const { say, sent, heard } = relay(undefined, new Response('', { status: 503 }));
  say('a');
  await until(() => sent.length === 3);
  say('b');
  await until(() => sent.length === 4);
  assert.deepEqual(
    sent.map(({ first, messages }) => [first, ...messages]),
    [
      [0, 'a'],
      [0, 'a'],
      [0, 'a'],
      [1, 'b'],
    ],
  );
  assert.deepEqual(heard, []);
});

test('a relay that accepted a part receives the rest, and a wrong number or an unknown stream is a lost connection', async () => {
  const part = relay(Response.json({ next: 1 }));
  part.say('a');
  part.say('b');
  await until(() => part.sent.length === 2);
  assert.deepEqual(part.sent[1], { secret: '', first: 1, messages: ['b'] });
  for (const answer of [
    new Response('', { status: 404 }),
    new Response('', { status: 409 }),
    Response.json({ next: 0 }),
    Response.json({ next: 2 }),
  ]) {
    const gone = relay(answer);
    gone.say('a');
    await until(() => gone.heard.includes(1006));
    assert.equal(gone.sent.length, 1);
  }
});

test('close() delivers the earlier messages, then ends the stream without an event', async () => {
  const { socket, say, sent, heard } = relay();
  say('last');
  socket.close();
  say('too late');
  await until(() => heard.includes('aborted'));
  assert.deepEqual(
    sent.map(({ messages }) => messages),
    [['last']],
  );
  assert.deepEqual(heard, ['aborted']);
});
