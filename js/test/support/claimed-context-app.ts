// An app as the README shows it, on a stand-in for Forge whose calls may claim any context.

import ForgeResolver from '@forge/resolver';

import { createRealtime } from '../../src/backend/create-realtime.js';
import { forgeSecrets } from '../../src/backend/forge-secrets.js';
import type { Authorize, RealtimeOptions } from '../../src/backend/options.js';
import { inForge, type Runtime } from './forge-runtime.js';
import { fakeKvs, fakeRelay, SIGNING_KEY } from './relay.js';

// @forge/resolver is a CommonJS package: Node returns its exports as the default export.
const Resolver = (ForgeResolver as unknown as { default: typeof ForgeResolver }).default ?? ForgeResolver;

/** The extension of a dashboard gadget. */
export const GADGET = { type: 'jira:dashboardGadget', dashboard: { id: '10001' }, gadget: { id: '1' } };
/** The extension of an issue panel. */
export const PANEL = { type: 'jira:issuePanel', issue: { id: '7' }, project: { id: '3' } };
export const IN_DASHBOARD = { contextOverrides: ['dashboard'] };

export const settings = { url: 'wss://relay.example', app: 'app-1', signingKey: SIGNING_KEY };

/** Creates the app. `asked` lists the accounts for which authorize was called. */
export function claimedContextApp(authorize: Authorize, over: Partial<RealtimeOptions> = {}) {
  const { fetch, posted } = fakeRelay();
  const kvs = fakeKvs();
  const secrets = forgeSecrets(async () => kvs);
  const asked: unknown[] = [];
  const realtime = createRealtime({
    authorize: (context) => (asked.push(context['accountId']), authorize(context)),
    ...settings,
    secrets,
    fetch,
    ...over,
  });
  const resolver = new Resolver();
  resolver.define('sealwire:session', realtime.session);
  resolver.define('publish', async ({ payload }) => {
    const results = [];
    for (const options of payload.each) results.push(await realtime.publish('n', 'x', options));
    return results;
  });
  resolver.define('scope', async ({ payload }) => realtime.scope(payload));
  const handler = realtime.wrap(resolver.getDefinitions());
  const invoke = (functionKey: string, context: object, platform: Runtime = {}, payload: object = {}) =>
    inForge({ appContext: { moduleKey: 'm' }, aaid: 'ada', ...platform }, () =>
      handler(
        { call: { functionKey, payload }, context: { moduleKey: 'm', ...context } },
        { installContext: 'ari:cloud:jira::site/1', principal: { accountId: 'ada' } },
      ),
    ) as Promise<any>;
  return {
    realtime,
    invoke,
    asked,
    session: (context: object, platform?: Runtime) => invoke('sealwire:session', context, platform),
    publish: (context: object, each: object[], platform?: Runtime) =>
      invoke('publish', context, platform, { each }),
    scopes: () => posted.map(({ messages }) => messages[0]!['scope']),
  };
}
