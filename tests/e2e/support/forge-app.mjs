// A minimal Forge app: resolver functions on the real @forge/resolver and @forge/kvs, configured by variables, in which only
// the import of @forge/realtime is replaced.
import { AsyncLocalStorage } from 'node:async_hooks';
import { createRequire } from 'node:module';
import { createRealtime, Jira, publish, publishGlobal, signRealtimeToken, wrap } from 'sealwire/resolver';
import { APP } from './relay.mjs';

const Resolver = createRequire(import.meta.url)('@forge/resolver').default;
const SITE = 'ari:cloud:jira::site/examples';

/** @type {AsyncLocalStorage<object>} */
const invocations = new AsyncLocalStorage();
Object.defineProperty(globalThis, '__forge_runtime__', { get: () => invocations.getStore() });

/** Returns the runtime of an invocation, with the context that Atlassian signs for the page. */
function runtimeOf(accountId, context) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { iss: 'forge/context-token', aud: 'forge', accountId, context };
  return {
    appContext: { environmentId: 'examples', installationId: 'examples', moduleKey: context.moduleKey },
    aaid: accountId,
    contextAri: SITE,
    realtime: { contextToken: `${part({ alg: 'none' })}.${part(claims)}.unsigned` },
  };
}

/** Implements Forge's secret storage for @forge/kvs. */
function installStorage() {
  const secrets = new Map();
  globalThis.__forge_fetch__ = async (_target, path, { body }) => {
    const { key, value, options } = JSON.parse(body);
    if (path === '/api/v1/secret/get') {
      if (secrets.has(key)) return Response.json({ key, value: secrets.get(key) });
      return Response.json({ code: 'KEY_NOT_FOUND', message: 'not found' }, { status: 404 });
    }
    if (options?.keyPolicy === 'FAIL_IF_EXISTS' && secrets.has(key)) {
      return Response.json({ code: 'KEY_EXISTS', message: 'exists' }, { status: 409 });
    }
    secrets.set(key, value);
    return new Response(null, { status: 204 });
  };
}

/**
 * @param {{ port: number, signingKey: string }} relay
 * @param {(context: { accountId: string }) => boolean} [authorize]
 */
export function forgeApp(relay, authorize = () => true) {
  installStorage();
  process.env.SEALWIRE_URL = `ws://127.0.0.1:${relay.port}`;
  process.env.SEALWIRE_APP = APP;
  process.env.SEALWIRE_SIGNING_KEY = relay.signingKey;

  const resolver = new Resolver();
  const realtime = createRealtime({ authorize });
  resolver.define('sealwire:session', realtime.session);
  resolver.define('disconnect', ({ payload }) => realtime.disconnect({ accountId: payload.user }));
  resolver.define('announce', ({ payload }) => publish('example', payload.text));
  resolver.define('announceInProject', ({ payload }) =>
    publish('example', payload.text, { contextOverrides: [Jira.Project] }),
  );
  resolver.define('announceGlobally', ({ payload }) => publishGlobal('example', payload.text));
  const claimsOf = ({ accountId }) => ({ team: accountId.startsWith('red') ? 'red' : 'blue' });
  resolver.define('getToken', ({ context }) =>
    signRealtimeToken('example', claimsOf(context), ['subscribe']),
  );
  resolver.define('announceToTeam', async ({ payload, context }) => {
    const { token } = await signRealtimeToken('example', claimsOf(context));
    return publish('example', payload.text, { token });
  });
  const handler = wrap(resolver.getDefinitions());

  /** Calls a function as the page of `view` does. */
  return (view, functionKey, payload) => {
    const { user, module, issue, project } = view;
    const extension = { type: 'jira:issuePanel', issue: { id: issue }, project: { id: project } };
    const context = { moduleKey: module, extension };
    return invocations.run(runtimeOf(user, context), () =>
      handler(
        { call: { functionKey, payload }, context },
        { installContext: SITE, principal: { accountId: user } },
      ),
    );
  };
}
