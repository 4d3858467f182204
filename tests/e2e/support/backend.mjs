// The app's backend: the package's resolver API, with secrets in memory instead of Forge's storage.
import { createRealtime } from 'sealwire/resolver';
import { APP } from './relay.mjs';

function secretsInMemory() {
  const secrets = new Map();
  return {
    read: async (installation) => secrets.get(installation),
    create: async (installation, secret) => {
      if (!secrets.has(installation)) secrets.set(installation, secret);
      return secrets.get(installation);
    },
    replace: async (installation, secret) => void secrets.set(installation, secret),
  };
}

/** Returns the context that Forge passes to a resolver for this user on this dashboard. */
export const contextOf = (accountId, dashboard, gadget = '1') => ({
  accountId,
  installContext: 'ari:cloud:jira::site/e2e',
  moduleKey: 'absences-gadget',
  extension: { type: 'jira:dashboardGadget', dashboard: { id: dashboard }, gadget: { id: gadget } },
});

/**
 * Returns a function that publishes on 'absences' of dashboard 10001 as a backend that has the signing key, and as one sender.
 * `fetch` carries its requests, and may alter them or answer in place of the relay. `secrets` replaces the app's own.
 */
export function publisherThrough(system, fetch, secrets = system.secrets) {
  const realtime = createRealtime({
    app: APP,
    signingKey: system.relay.signingKey,
    url: `ws://127.0.0.1:${system.relay.port}`,
    authorize: () => false,
    environment: 'e2e',
    trustUnsignedContext: true,
    secrets,
    fetch,
  });
  return (payload) => realtime.publish('absences', payload, { context: contextOf('x', '10001') });
}

/**
 * @param {{ port: number, signingKey: string }} relay
 * @param {number} socketPort the port to which pages connect
 * @param {object} [options] further options of createRealtime
 */
export function createBackend(relay, socketPort, options = {}) {
  const secrets = secretsInMemory();
  // The tests provide the context instead of the platform, so it has no signature.
  const host = { environment: 'e2e', trustUnsignedContext: true };
  const settings = { app: APP, signingKey: relay.signingKey, authorize: () => true, secrets, ...host };
  const direct = createRealtime({ ...settings, url: `ws://127.0.0.1:${relay.port}`, ...options });
  return {
    direct,
    secrets,
    session: async (context, payload) => {
      const grant = await direct.session({ context, payload });
      return { ...grant, url: `ws://127.0.0.1:${socketPort}/v1/realtime` };
    },
  };
}
