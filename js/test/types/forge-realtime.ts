// This file is compiled and never run: code for @forge/realtime and @forge/resolver compiles with sealwire/resolver.

import * as bridge from '@forge/bridge';
import { kvs } from '@forge/kvs';
import * as forge from '@forge/realtime';
import Resolver, { makeResolver } from '@forge/resolver';

import { forgeSecrets } from '../../src/backend/forge-secrets.js';
import {
  createRealtime,
  Jira,
  publish,
  publishGlobal,
  signRealtimeToken,
  verifyDashboard,
  verifyIssue,
  wrap,
} from '../../src/resolver.js';

export const asPublish: typeof forge.publish = publish;
export const asPublishGlobal: typeof forge.publishGlobal = publishGlobal;
export const asSignRealtimeToken: typeof forge.signRealtimeToken = signRealtimeToken;

export async function overrides(): Promise<void> {
  await publish('channel', { a: 1 }, { contextOverrides: [forge.Jira.Project] });
  await publish('channel', 'text', { contextOverrides: [bridge.Jira.Issue, Jira.Dashboard] });
}

export async function lists(absences: string[]): Promise<void> {
  await publish('channel', { absences });
  // @ts-expect-error an array goes inside an object
  await publish('channel', absences);
  // @ts-expect-error an array goes inside an object
  await publishGlobal('channel', absences);
}

export async function tokens(): Promise<string> {
  const { token, expiresAt, errors } = await signRealtimeToken('channel', { team: 'blue' }, ['subscribe']);
  if (errors) return errors[0]?.message ?? '';
  const seconds: number = expiresAt;
  // @ts-expect-error permissions are never empty
  await signRealtimeToken('channel', {}, []);
  // @ts-expect-error there is no such permission
  await signRealtimeToken('channel', {}, ['read']);
  return `${token} ${seconds}`;
}

const realtime = createRealtime({
  authorize: async ({ accountId }) => (accountId ? { subscribe: true, publish: false } : false),
});

// The verifying functions serve as authorize(), or inside one.
export const verified = createRealtime({ authorize: verifyDashboard, unlicensedAccess: ['customer'] });
export const readers = createRealtime({
  authorize: async (context) => {
    const proved = await verifyIssue(context);
    return proved && { ...proved, subscribe: true, publish: false };
  },
  properties: async ({ extension }) => ({ team: extension ? 'blue' : undefined }),
});
// The extension can be read as in Forge's examples.
export const byExtension = createRealtime({
  authorize: (context) => context.extension?.issue?.id === '7',
  properties: (context) => ({ team: context.extension?.team }),
});
// @ts-expect-error there is no such kind of user
createRealtime({ authorize: verifyDashboard, unlicensedAccess: ['app'] });
// @ts-expect-error properties are names
createRealtime({ authorize: () => ({ properties: 'dashboard' }) });

// A verified scope can be passed to a consumer.
export async function queued(): Promise<void> {
  const scope: Record<string, string> = await realtime.scope({ contextOverrides: [Jira.Dashboard] });
  await realtime.publish('channel', 'text', { scope });
}

// The session is a resolver function, and wrap() keeps the type of the wrapped function.
const resolver = new Resolver();
resolver.define('sealwire:session', realtime.session);
resolver.define('add', async ({ context }) => realtime.publish('channel', { by: context['accountId'] }));
export const handler: ReturnType<typeof resolver.getDefinitions> = wrap(resolver.getDefinitions());
export const made = realtime.wrap(
  makeResolver<{ add: (item: string) => string }>({ add: ({ payload }) => payload }),
);

// The context of a consumer or trigger is sufficient for global channels.
export async function consumer(
  event: unknown,
  context: { installContext: string; principal?: object },
): Promise<void> {
  await publishGlobal('channel', { event }, { context });
  await realtime.rotateKey({ context });
}

// Forge's own key-value store serves as a store for secrets.
export const secrets = forgeSecrets(async () => kvs);
