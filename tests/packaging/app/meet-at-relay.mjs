// An app in development: its functions have the variables of `forge tunnel`, and a page hears a function at the relay. Then
// the same app with another key is refused.

import { createRealtime as createPage } from 'sealwire';
import { createRealtime } from 'sealwire/resolver';

const CONTEXT = { moduleKey: 'panel', extension: { type: 'jira:issuePanel', issue: { id: '7' } } };
const RUNTIME = { installContext: 'ari:cloud:jira::site/1', principal: { accountId: 'ada' } };

/** The functions of the app. Address, app and key come from the environment, unless the settings have others. */
function functions(settings = {}) {
  const stored = new Map();
  const secrets = {
    read: async (installation) => stored.get(installation),
    create: async (installation, secret) => (stored.set(installation, secret), secret),
    replace: async (installation, secret) => void stored.set(installation, secret),
  };
  const realtime = createRealtime({
    authorize: () => true,
    environment: 'test',
    trustUnsignedContext: true,
    secrets,
    ...settings,
  });
  const call = (act) =>
    realtime.wrap(async (request, { installContext }) =>
      act({ context: { ...request.context, installContext, accountId: 'ada' } }),
    )({ call: { functionKey: 'x' }, context: CONTEXT }, RUNTIME);
  return {
    session: (payload) => call((request) => realtime.session({ ...request, payload })),
    publish: (...message) => call(() => realtime.publish(...message)),
  };
}

const app = functions();
const page = createPage({ session: app.session });
const heard = new Promise((resolve) => {
  void page.subscribe('notes', resolve).then(() => app.publish('notes', { text: 'plaintext' }));
});
const note = await heard;
page.close();

const [kid] = process.env.SEALWIRE_SIGNING_KEY.split('.');
const stranger = functions({ signingKey: `${kid}x.${Buffer.alloc(64, 7).toString('base64url')}` });
const refused = createPage({ session: stranger.session });
const { code } = await refused.subscribe('notes', () => {}).catch((error) => error);
refused.close();

console.log(JSON.stringify({ note, code }));
process.exit(0);
