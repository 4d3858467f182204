// Asserts the result of app/exercise-resolver.mjs, which does not depend on the bundler.

import assert from 'node:assert/strict';

export function assertResolverWorks(printed) {
  assert.deepEqual(JSON.parse(printed), {
    url: 'wss://relay.example/v1/realtime',
    context: { module: 'panel', issue: '7', project: '3' },
    algorithm: 'HS512',
    // The session has a key for each subset of issue, module and project.
    scopeKeys: 8,
    scope: { project: '3' },
    sealedVersion: 1,
    plaintextVisible: false,
    published: { eventId: '00000000000000aa-7', eventTimestamp: '1' },
    tokenParts: 2,
  });
}
