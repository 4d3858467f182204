// The scope of a channel, which determines the pages that receive a message.
import assert from 'node:assert/strict';
import { listen, mustAccept, mustRefuse, mustReject } from './expect.mjs';
import { SITE, issue } from './pages.mjs';

export const scopes = {
  async 'pages and resolvers in the same context exchange messages in order, and no other page receives them'({
    page,
    resolver,
  }) {
    const [ada, ben] = [page({ context: issue('7') }), page({ context: issue('7') })];
    const here = [await listen(ada, 'n'), await listen(ben, 'n')];
    const elsewhere = [
      await listen(page({ context: issue('8') }), 'n'),
      await listen(page({ context: issue('7', 'action') }), 'n'),
      await listen(ben, 'm'),
      await listen(ben, 'n', {}, ben.subscribeGlobal),
    ];
    await mustAccept(ada.publish('n', 'one'));
    await mustAccept(resolver.publish('n', { two: 2 }, { context: issue('7') }));
    await mustAccept(ben.publish('n', { three: true }));
    for (const { receives } of here)
      assert.deepEqual(await receives(3), ['one', { two: 2 }, { three: true }]);
    for (const { received } of elsewhere) assert.deepEqual(received, []);
  },

  async 'overrides keep part of the context, and global channels keep none of it'({ page, resolver }) {
    const [seven, eight] = [page({ context: issue('7') }), page({ context: issue('8', 'action') })];
    const inProject = { contextOverrides: ['project'] };
    const project = [await listen(seven, 'n', inProject), await listen(eight, 'n', inProject)];
    const global = [
      await listen(seven, 'n', { contextOverrides: [] }),
      await listen(eight, 'n', {}, eight.subscribeGlobal),
    ];
    await mustAccept(seven.publish('n', 'project', inProject));
    await mustAccept(resolver.publish('n', 'again', { ...inProject, context: issue('9') }));
    await mustAccept(eight.publishGlobal('n', 'global'));
    await mustAccept(resolver.publishGlobal('n', 'again', { context: { installContext: SITE } }));
    for (const { receives } of project) assert.deepEqual(await receives(2), ['project', 'again']);
    for (const { receives } of global) assert.deepEqual(await receives(2), ['global', 'again']);
  },

  async 'a property that the context lacks is refused, never widened'({ page, resolver }) {
    const ada = page({ context: issue('7') });
    await mustReject(
      ada.subscribe('n', () => {}, { contextOverrides: ['board'] }),
      'SCOPE_REFUSED',
    );
    await mustRefuse(ada.publish('n', 'x', { contextOverrides: ['board'] }), 'SCOPE_REFUSED');
    const context = issue('7');
    await mustReject(resolver.publish('n', 'x', { context, contextOverrides: ['board'] }), 'SCOPE_REFUSED');
  },

  async 'a page of an unknown type has no default channel, but overrides work'({ page, resolver }) {
    const unknown = { ...issue('7'), extension: { ...issue('7').extension, type: 'jira:newThing' } };
    const ada = page({ context: unknown });
    await mustReject(
      ada.subscribe('n', () => {}),
      'SCOPE_REFUSED',
    );
    await mustRefuse(ada.publish('n', 'x'), 'SCOPE_REFUSED');
    await mustReject(resolver.publish('n', 'x', { context: unknown }), 'SCOPE_REFUSED');
    const inIssue = { contextOverrides: ['issue'] };
    const { receives } = await listen(page({ context: issue('7') }), 'n', inIssue);
    await mustAccept(ada.publish('n', 'one', inIssue));
    await mustAccept(resolver.publish('n', 'two', { ...inIssue, context: unknown }));
    assert.deepEqual(await receives(2), ['one', 'two']);
  },

  async 'objects that differ in a key, a parent or the environment never share a channel'({ page }) {
    const of = (extension, more = {}) => ({ ...issue('7'), ...more, extension });
    const portal = (key) => ({
      type: 'jiraServiceManagement:portalRequestDetail',
      portal: { id: 1 },
      request: { key },
    });
    const pull = (uuid) => ({
      type: 'bitbucket:repoPullRequestCard',
      repository: { uuid },
      pullRequest: { id: 5 },
    });
    const inPull = { contextOverrides: ['pullRequest'] };
    for (const [one, other, options] of [
      [of(portal('SD-1')), of(portal('SD-2'))],
      [of(pull('{a}')), of(pull('{b}'))],
      [of(pull('{a}')), of(pull('{b}')), inPull],
      [
        of({ type: 'compass:componentPage', componentId: 'ari:a' }),
        of({ type: 'compass:componentPage', componentId: 'ari:b' }),
      ],
      [
        of({ type: 'jira:issuePanel', issue: { id: 'A-7' } }),
        of({ type: 'jira:issuePanel', issue: { key: 'A-7' } }),
      ],
      [issue('7'), { ...issue('7'), environmentId: 'production' }],
    ]) {
      const here = await listen(page({ context: one }), 'n', options);
      await mustAccept(page({ context: other }).publish('n', 'elsewhere', options));
      await mustAccept(page({ context: one }).publish('n', 'here', options));
      assert.deepEqual(await here.receives(1), ['here']);
    }
  },

  async 'names of members of Object.prototype are not properties of the context'({ page, resolver }) {
    const context = issue('7');
    const ada = page({ context });
    const global = await listen(ada, 'n', {}, ada.subscribeGlobal);
    for (const name of ['constructor', '__proto__', 'toString']) {
      const options = { contextOverrides: [name] };
      await mustReject(
        ada.subscribe('n', () => {}, options),
        'SCOPE_REFUSED',
      );
      await mustRefuse(ada.publish('n', 'x', options), 'SCOPE_REFUSED');
      await mustReject(resolver.publish('n', 'x', { ...options, context }), 'SCOPE_REFUSED');
    }
    await mustAccept(ada.publishGlobal('n', 'last'));
    assert.deepEqual(await global.receives(1), ['last']);
  },

  async 'a session is limited to the properties that authorize verified'({ page }) {
    const authorize = () => ({ properties: ['issue'] });
    const ada = page({ context: issue('7'), authorize });
    const inIssue = { contextOverrides: ['issue'] };
    const { receives } = await listen(ada, 'n', inIssue);
    for (const options of [{}, { contextOverrides: ['project'] }, { contextOverrides: ['module'] }]) {
      await mustRefuse(ada.publish('n', 'x', options), 'SCOPE_REFUSED');
    }
    await mustAccept(page({ context: issue('7') }).publish('n', 'one', inIssue));
    assert.deepEqual(await receives(1), ['one']);
  },
};
