// This file is compiled and never run: code for @forge/bridge's realtime compiles with this package.

import * as bridge from '@forge/bridge';

import {
  Compass,
  createRealtime,
  Forge,
  Jira,
  JiraServiceManagement,
  property,
  realtime,
  SealwireError,
  type KnownProperty,
  type RealtimeEvent,
  type SessionGrant,
  type TokenProvider,
} from '../../src/index.js';

// The whole object replaces that of the bridge.
export const whole: typeof bridge.realtime = realtime;

// Each single function replaces that of the bridge.
export const subscribe: typeof bridge.realtime.subscribe = realtime.subscribe;
export const publish: typeof bridge.realtime.publish = realtime.publish;
export const subscribeGlobal: typeof bridge.realtime.subscribeGlobal = realtime.subscribeGlobal;
export const publishGlobal: typeof bridge.realtime.publishGlobal = realtime.publishGlobal;

// The enums of the bridge, those of this package, and plain names are accepted.
export async function overrides(): Promise<void> {
  const ignore = () => {};
  await realtime.subscribe('channel', ignore, { contextOverrides: [bridge.Jira.Project, bridge.Jira.Issue] });
  await realtime.subscribe('channel', ignore, { contextOverrides: [bridge.Confluence.Space] });
  await realtime.publish('channel', 'text', { contextOverrides: [bridge.Bitbucket.PullRequest] });
  await realtime.publish('channel', 'text', { contextOverrides: [Jira.Gadget, 'dashboard'] });
  const given: bridge.Jira[] = [bridge.Jira.Board];
  await realtime.subscribe('channel', ignore, { replaySeconds: 30, token: 'token', contextOverrides: given });
  await realtime.subscribe('channel', ignore, {
    contextOverrides: [JiraServiceManagement.Request, 'portal'],
  });
  await realtime.publish('channel', 'text', { contextOverrides: [Compass.Component, Forge.Module] });
  // A property that the app states is marked as such.
  await realtime.publish('channel', 'text', { contextOverrides: [property('blue-team'), Jira.Issue] });
  // @ts-expect-error a property that no product has
  await realtime.subscribe('channel', ignore, { contextOverrides: ['isue'] });
}

// Functions that invoke the app's resolver are accepted as they are.
export async function invoked(team: string): Promise<void> {
  const token: TokenProvider = () => bridge.invoke('channelToken', { team });
  await realtime.subscribe('channel', () => {}, { token });
  await realtime.publish('channel', 'text', { token: () => bridge.invoke<string>('channelToken') });
  createRealtime({ session: (request) => bridge.invoke<SessionGrant>('session', request) });
}

// The enums of this package have the values of the bridge.
export const values: `${bridge.Jira | bridge.Confluence | bridge.Bitbucket}`[] = [
  Jira.Board,
  Jira.Issue,
  Jira.Project,
];

// The constants are types too, as the enums of the bridge.
export const named: Jira[] = [Jira.Sprint, 'issue'];
export const known: KnownProperty[] = [...named, Compass.Team];

interface Absence {
  person: string;
  days: string[];
}

// The callbacks of the published examples and of typed apps are accepted.
export async function callbacks(absence: Absence): Promise<void> {
  await realtime.subscribe('channel', (payload: string) => payload.toUpperCase());
  await realtime.subscribe('channel', (payload: string | Record<string, unknown>) => payload);
  await realtime.subscribe<{ count: number }>('channel', (payload) => payload.count);
  await realtime.subscribe<{ count: number }>('channel', (payload: string | { count: number }) => payload);
  await realtime.subscribe<Absence>('channel', (payload, error, event) => {
    const caught: SealwireError | undefined = error;
    const about: RealtimeEvent | undefined = event;
    return [payload.days, caught?.gap?.from?.offset, about?.publishedAt];
  });
  await realtime.subscribe('channel', async (_payload, error?: Error) => error?.message);
  await realtime.publish<Absence>('channel', absence);
  await realtime.publish('channel', { absences: [absence], at: new Date() });
  const change = { added: absence } as { added: Absence } | { removed: string };
  await realtime.publish('channel', change);
  const send = <T extends object>(payload: T) => realtime.publish('channel', payload);
  await send({ added: absence });
  // @ts-expect-error a number is not a payload
  await realtime.publish('channel', 7);
  // @ts-expect-error an array goes inside an object
  await realtime.publish('channel', [absence]);
  // @ts-expect-error a readonly array goes inside an object
  await realtime.publishGlobal('channel', ['a', 'b'] as const);
  // @ts-expect-error JSON turns it into {}
  await realtime.publish('channel', new Map([['a', 1]]));
}

// The results have the types of the bridge.
export async function results(): Promise<(string | null | undefined)[]> {
  const subscription = await realtime.subscribeGlobal('channel', () => {});
  const done: Promise<void> = subscription.unsubscribe();
  await done;
  const { eventId, eventTimestamp, errors }: bridge.PublishResult = await realtime.publishGlobal('channel', {
    a: 1,
  });
  return [eventId, eventTimestamp, errors?.[0]];
}
