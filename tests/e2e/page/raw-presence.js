// A member of the app that speaks the protocol itself, and enters a presence with bytes of its choice.

const text = (value) => [...new TextEncoder().encode(value)];
const varint = (value) => {
  const bytes = [];
  for (let rest = BigInt(value); ; rest >>= 7n) {
    if (rest < 128n) return [...bytes, Number(rest)];
    bytes.push(Number(rest & 127n) | 128);
  }
};
const number = (field, value) => [...varint(field << 3), ...varint(value)];
const bytes = (field, value) => [...varint((field << 3) | 2), ...varint(value.length), ...value];
const read = (message) => {
  const fields = [];
  let at = 0;
  const next = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = Number(next());
    const value = next();
    if ((tag & 7) === 0) fields.push([tag >> 3, value]);
    else fields.push([tag >> 3, message.slice(at, (at += Number(value)))]);
  }
  return fields;
};
const find = (fields, wanted) => fields.find(([field]) => field === wanted)?.[1];

/** Opens a session of `user`. */
async function connect(user) {
  const body = JSON.stringify({ user, dashboard: '10001', reason: 'connect' });
  const grant = await (await fetch('/session', { method: 'POST', body })).json();
  const socket = new WebSocket(grant.url, 'sealwire.v1');
  socket.binaryType = 'arraybuffer';
  const waiting = [];
  const arrived = [];
  socket.onmessage = ({ data }) => {
    const [[kind, content]] = read(new Uint8Array(data));
    arrived.push({ kind, fields: read(content) });
    waiting.shift()?.();
  };
  const receive = async (...kinds) => {
    for (;;) {
      const index = arrived.findIndex(({ kind }) => kinds.includes(kind));
      if (index >= 0) return arrived.splice(index, 1)[0];
      await new Promise((resolve) => waiting.push(resolve));
    }
  };
  const send = (kind, content) => socket.send(new Uint8Array(bytes(kind, content)));
  await new Promise((resolve) => (socket.onopen = resolve));
  send(1, bytes(1, text(grant.token)));
  await receive(1);
  return { grant, send, receive };
}

/**
 * Connects with the session of `user`, watches a presence, and enters with the first member's sealed entry: under another member
 * id if `isOther`, and under a number that is higher by `add`. Returns whether the relay accepted each.
 */
export async function rawPresence({ user, channel, forged }) {
  const { grant, send, receive } = await connect(user);
  const address = [
    bytes(1, text(channel)),
    ...Object.keys(grant.context).map((name) => bytes(2, text(name))),
  ];
  send(12, [...number(1, 1), ...bytes(2, address.flat())]);
  await receive(13);
  const state = await receive(14);
  const stated = read(find(state.fields, 5));
  const [member, of, sealed] = [[...find(stated, 1)], find(stated, 2), [...find(stated, 3)]];
  let request = 1;
  const outcomes = [];
  for (const { isOther, add } of forged) {
    request += 1;
    const id = isOther ? member.map((byte) => byte ^ 1) : member;
    const entry = [...bytes(3, id), ...number(4, of + BigInt(add)), ...bytes(5, sealed)];
    send(10, [...number(1, request), ...bytes(2, address.flat()), ...entry]);
    outcomes.push((await receive(7, 13)).kind === 13);
    // The relay collects changes for 100 ms; each entry is to be a change of its own.
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  return outcomes;
}

/** Returns the installation and the context of a session of `user`. */
export async function sessionOf(user) {
  const body = JSON.stringify({ user, dashboard: '10001', reason: 'connect' });
  const { installation, context } = await (await fetch('/session', { method: 'POST', body })).json();
  return { installation, context };
}

/** Connects with the session of `user`, and enters a presence with entries that are sealed already, one after the other. */
export async function enterSealed({ user, channel, entries }) {
  const { grant, send, receive } = await connect(user);
  const properties = Object.keys(grant.context).map((name) => bytes(2, text(name)));
  const address = [bytes(1, text(channel)), ...properties].flat();
  for (const [index, { member, number: of, sealed }] of entries.entries()) {
    const entry = [...bytes(3, member), ...number(4, of), ...bytes(5, sealed)];
    send(10, [...number(1, index + 1), ...bytes(2, address), ...entry]);
    const { kind } = await receive(7, 13);
    if (kind !== 13) throw new Error('the relay refused an entry');
  }
}
