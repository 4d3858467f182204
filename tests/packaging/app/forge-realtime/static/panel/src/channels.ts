// The subscriptions and publications of the page, with the calls of Forge's documentation.
import { invoke, Jira, realtime, type SubscriptionOptions } from '@forge/bridge';

export interface Note extends Record<string, unknown> {
  text: string;
}
type Show = (from: string, note: string | Note) => void;

const IN_ISSUE: SubscriptionOptions = { contextOverrides: [Jira.Issue], replaySeconds: 30 };

export async function subscribeToAll(show: Show, token: string) {
  const subscriptions = await Promise.all([
    realtime.subscribe<Note>('my-channel', (note) => show('panel', note)),
    realtime.subscribe<Note>('my-channel', (note) => show('issue', note), IN_ISSUE),
    realtime.subscribeGlobal<Note>('my-channel', (note) => show('site', note)),
    realtime.subscribe<Note>('my-channel', (note) => show('me', note), { token }),
  ]);
  return () => Promise.all(subscriptions.map((subscription) => subscription.unsubscribe()));
}

export const publishFromPage = (text: string) => realtime.publish('my-channel', { text });

export const fetchToken = async () => String(await invoke('token'));
