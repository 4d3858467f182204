// This file is compiled and never run: a channel map types the payloads of pages, hooks, functions and tests.

import {
  createRealtime,
  realtime as untyped,
  type ChannelMap,
  type ChannelName,
  type Realtime,
} from '../../src/index.js';
import { createHooks, type Hooks } from '../../src/react.js';
import { createRealtime as createResolver, type Realtime as ResolverRealtime } from '../../src/resolver.js';
import { createTestRelay } from '../../src/testing.js';

interface Note {
  text: string;
  tags: string[];
}

interface Channels {
  notes: Note;
  poll: { choice: number } | { closed: true };
  shout: string;
  [room: `room-${string}`]: { by: string };
}

const note: Note = { text: 'a', tags: ['b'] };
const id: string = note.text;

/** Is an error if the two types differ. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : never;
const holds = (..._facts: true[]): void => {};

const page = createRealtime<Channels>({ timeoutMs: 1_000 });

export async function pages(): Promise<void> {
  await page.subscribe('notes', (payload, error, event) => {
    holds(true satisfies Same<typeof payload, Note>);
    return [payload.text, error?.code, event?.eventId];
  });
  await page.subscribeGlobal('poll', (payload) => ('closed' in payload ? 0 : payload.choice), {
    replaySeconds: 30,
    onResumed: ({ recovered }) => holds(true satisfies Same<typeof recovered, boolean>),
  });
  await page.subscribe(`room-${id}`, (payload) => payload.by);
  await page.publish('notes', note, { contextOverrides: ['issue'] });
  await page.publishGlobal('shout', 'hello');
  await page.publish(`room-${id}`, { by: 'ada' });
  // Streams have channels of their own.
  for await (const text of page.stream('answers')) text.trim();

  // @ts-expect-error the map has no such channel
  await page.subscribe('note', () => {});
  // @ts-expect-error the map has no such channel
  await page.publishGlobal('news', { text: 'a' });
  // @ts-expect-error a payload of another channel
  await page.publish('notes', { choice: 1 });
  // @ts-expect-error a channel of objects takes no text
  await page.publish('notes', 'hello');
  // @ts-expect-error a channel of text takes no object
  await page.publish('shout', note);
  // @ts-expect-error a note has a text
  await page.publish('notes', { tags: [] });
  // @ts-expect-error a note has no such property
  await page.subscribe('notes', (payload) => payload.choice);
  // @ts-expect-error a callback for another type of payload
  await page.subscribe('notes', (payload: { choice: number }) => payload.choice);
}

// The map refuses what the function refuses.
// @ts-expect-error an array goes inside an object
createRealtime<{ notes: Note[] }>();
// @ts-expect-error a readonly array goes inside an object
createRealtime<{ notes: readonly [string, string] }>();
// @ts-expect-error a number is not a payload
createResolver<{ count: number }>({ authorize: () => true });
// @ts-expect-error null is not a payload
createTestRelay<{ nothing: null }>();
// @ts-expect-error JSON turns it into {}
createHooks<{ table: Map<string, string> }>();
// @ts-expect-error no array ever arrives
untyped.subscribe<Note[]>('notes', () => {});
// @ts-expect-error no array ever arrives
untyped.subscribe('notes', (payload: Note[]) => payload.length);

const functions = createResolver<Channels>({ authorize: () => true });

export async function resolver(): Promise<void> {
  const { errors } = await functions.publish('notes', note, { scope: { issue: '1' } });
  await functions.publishGlobal('shout', errors?.[0]?.code ?? '');
  await functions.publish(`room-${id}`, { by: 'ada' });
  await functions.signRealtimeToken('poll', { team: 'blue' }, ['subscribe']);
  await functions.publishStream('answers', ['a', 'b']);
  // @ts-expect-error a payload of another channel
  await functions.publish('poll', note);
  // @ts-expect-error the map has no such channel
  await functions.publishGlobal('polls', { choice: 1 });
  // @ts-expect-error the map has no such channel
  await functions.signRealtimeToken('polls', { team: 'blue' });
  // @ts-expect-error claims are an object
  await functions.signRealtimeToken('poll', ['blue']);
}

export const { useChannel, usePublish, useRealtime, RealtimeProvider } = createHooks<Channels>();

export function useNotes(issue: string | undefined): unknown {
  const { status } = useChannel('notes', (payload, error) => (error ? error.code : payload.tags));
  useChannel(issue === undefined ? null : `room-${issue}`, {
    onMessage: (payload, event) => payload.by + event.eventId,
    onError: (error) => error.code,
    onResumed: ({ recovered }) => recovered,
  });
  const publish = usePublish('poll', { contextOverrides: ['issue'] });
  const publishing = publish({ choice: 1 }, { timeoutMs: 5, signal: AbortSignal.abort() });
  holds(true satisfies Same<ReturnType<typeof useRealtime>, Realtime<Channels>>);
  // @ts-expect-error the map has no such channel
  useChannel('note', () => {});
  // @ts-expect-error a payload of another channel
  useChannel('notes', (payload: { choice: number }) => payload.choice);
  // @ts-expect-error a payload of another channel
  publish(note);
  // @ts-expect-error the map has no such channel
  usePublish('polls');
  return [status, publishing, RealtimeProvider({ realtime: page }), RealtimeProvider({ realtime: untyped })];
}

const relay = createTestRelay<Channels>();

export async function tests(): Promise<void> {
  const tested: Realtime<Channels> = relay.realtime({ accountId: 'ada', resolver: relay.resolver() });
  await tested.publish('notes', note);
  await relay.resolver({ authorize: () => false }).publish('poll', { closed: true });
  await relay.invoke(() => {}, 'add', note, tested);
  const [published] = relay.published('notes');
  holds(true satisfies Same<NonNullable<typeof published>['payload'], Note>);
  for (const publication of relay.published()) {
    if (publication.channel === 'shout') publication.payload.toUpperCase();
  }
  // @ts-expect-error the map has no such channel
  relay.published('note');
  // @ts-expect-error a payload of another channel
  await tested.publish('notes', { choice: 1 });
}

// A client without a map can be declared with one, and the other way round. JavaScript declares it this way.
export const declared: Realtime<Channels> = untyped;
export const created: Realtime<Channels> = createRealtime();
export const general: Realtime = page;
export const declaredResolver: ResolverRealtime<Channels> = createResolver({ authorize: () => true });
export const declaredHooks: Hooks<Channels> = createHooks();
// @ts-expect-error a client of one map is not a client of another
export const other: Realtime<{ notes: { count: number } }> = page;

// Code for any map can name the channels and payloads of it.
export function logTo<M extends ChannelMap<M>>(client: Realtime<M>, names: ChannelName<M>[]): string {
  return client.state + names.join();
}
logTo(page, ['notes', 'room-1']);
