// `sealwire migrate` reports what a person has to decide, at the line of the place, until it is decided.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';

import { migrateApp } from '../../src/migrate/app.js';
import { folder, type Files } from '../support/app-folder.js';

const RELAY = `permissions:
  scopes:
    - storage:app # keys
  external:
    fetch:
      client:
        - address: 'wss://relay.example.com'
          inScopeEUD: true
        - address: 'https://relay.example.com'
          inScopeEUD: true
      backend: [{ address: 'https://relay.example.com', inScopeEUD: true }]
`;

const DECIDED = `import Resolver from '@forge/resolver';
import { createRealtime, verifyIssue } from 'sealwire/resolver';
const realtime = createRealtime({ authorize: verifyIssue });
const resolver = new Resolver();
resolver.define('sealwire:session', realtime.session);
resolver.define('save', () => realtime.publish('notes', { a: 1 }, { contextOverrides: ['issue'] }));
export const handler = realtime.wrap(resolver.getDefinitions());
`;

/** The findings of an app by rule, as `file:line`, with their messages. */
function findings(t: TestContext, files: Files) {
  const all = migrateApp(folder(t, files), '1.2.3', () => new Set()).findings;
  return (rule: string) =>
    all
      .filter((finding) => finding.rule === rule)
      .map(({ file, line, message }) => ({ at: `${file}:${line ?? ''}`, message }));
}

function places(found: { at: string }[]): string[] {
  return found.map(({ at }) => at).sort();
}

test('a resolver without a session function and without wrap() is reported', (t) => {
  const of = findings(t, {
    'src/index.js':
      `import Resolver from '@forge/resolver';\nimport { publish } from '@forge/realtime';\n` +
      `const resolver = new Resolver();\nresolver.define('save', () => publish('a', {}));\n` +
      `export const handler = resolver.getDefinitions();\n`,
  });
  assert.deepEqual(places(of('session')), ['src/index.js:3', 'src/index.js:5']);
  assert.match(of('session')[0]!.message, /resolver\.define\('sealwire:session', realtime\.session\)/);
});

test('an app with no resolver at all is told that pages need one', (t) => {
  const of = findings(t, { 'page.js': `import { realtime } from '@forge/bridge';\n` });
  assert.deepEqual(places(of('session')), ['.:']);
});

test('contextOverrides without authorize are reported in pages and functions, and not with it', (t) => {
  const page = `import { realtime, Jira } from '@forge/bridge';
const options = { contextOverrides: [Jira.Issue] };
realtime.subscribe('a', f, options);
realtime.subscribe('a', f, { contextOverrides: [] });
`;
  const own = `import { publish, Jira } from '@forge/realtime';\npublish('a', {}, { contextOverrides: [Jira.Issue] });\n`;
  const undecided = findings(t, { 'page.js': page, 'src/index.js': own });
  assert.deepEqual(places(undecided('overrides')), ['page.js:2', 'src/index.js:2']);
  const decided = findings(t, { 'page.js': page, 'src/index.js': DECIDED });
  assert.deepEqual(decided('overrides'), []);
});

test('contextOverrides of a global channel are reported, since Forge ignores them and Sealwire refuses them', (t) => {
  const page = `import { realtime } from '@forge/bridge';\nrealtime.publishGlobal('a', {}, { contextOverrides: ['issue'] });\n`;
  const [found] = findings(t, { 'page.js': page, 'src/index.js': DECIDED })('overrides');
  assert.equal(found?.at, 'page.js:2');
  assert.match(found.message, /use publish\(\)/);
});

test('fixed tokens and tokens without a lifetime are reported, until they are decided', (t) => {
  const page = `import { realtime } from '@forge/bridge';
realtime.subscribe('a', f, { token });
realtime.subscribeGlobal('a', f, { token: () => invoke('token') });
realtime.publish('a', {}, { token });
const fetchToken = async () => 'x';
realtime.subscribe('a', f, { token: fetchToken });
`;
  const own = `import { signRealtimeToken } from '@forge/realtime';
signRealtimeToken('a', { team: 'blue' });
signRealtimeToken('a', { team: 'blue' }, ['subscribe'], { lifetimeSeconds: 3600 });
`;
  const of = findings(t, { 'page.js': page, 'src/index.js': own });
  assert.deepEqual(places(of('token')), ['page.js:2', 'src/index.js:2']);
});

test('payloads that Sealwire refuses are reported', (t) => {
  const page = `import { realtime } from '@forge/bridge';
realtime.publish('a', [1]);
realtime.publish('a', 7);
realtime.publish('a', { items: [1] });
realtime.publish('a', new Note());
realtime.publish('a', 'text');
realtime.publish('a', new Map());
`;
  assert.deepEqual(places(findings(t, { 'page.js': page })('payload')), [
    'page.js:2',
    'page.js:3',
    'page.js:7',
  ]);
});

test('comparisons with error texts of Forge Realtime are reported with the code that takes their place', (t) => {
  const page = `import { realtime } from '@forge/bridge';
if (error === 'RATE_LIMIT_EXCEEDED') retry();
if (error.startsWith('Realtime token validation failed: TOKEN_EXPIRED')) renew();
if (error === 'RATE_LIMITED') wait();
`;
  const of = findings(t, { 'page.js': page });
  assert.deepEqual(places(of('error')), ['page.js:2', 'page.js:3']);
  assert.match(of('error')[0]!.message, /RATE_LIMITED/);
});

test('a manifest without the scope or the relay gets the exact lines, and a complete one none', (t) => {
  const page = { 'page.js': `import { realtime } from '@forge/bridge';\n` };
  const [scope, egress] = findings(t, { ...page, 'manifest.yml': '# - storage:app\napp: {}\n' })('manifest');
  assert.match(scope!.message, /permissions:\n {2}scopes:\n {4}- storage:app$/);
  assert.match(egress!.message, /- address: 'wss:\/\/relay\.example\.com'\n {10}inScopeEUD: true/);
  assert.deepEqual(findings(t, { ...page, 'manifest.yml': RELAY })('manifest'), []);

  const half = RELAY.replace(/ {6}backend.*\n/, '');
  const [missing] = findings(t, { ...page, 'manifest.yml': half })('manifest');
  assert.match(missing!.message, /Declare the relay/);
});

test('the lines for the manifest are those of the page about Forge', async (t) => {
  const [, egress] = findings(t, {
    'page.js': `import { realtime } from '@forge/bridge';\n`,
    'manifest.yml': 'app: {}\n',
  })('manifest');
  const lines = egress!.message.slice(egress!.message.indexOf('permissions:'));
  const { parse } = await import('yaml');
  const { permissions } = parse(lines) as typeof onPage;
  // The bundle of this test is in js/dist/test/migrate.
  const page = readFileSync(new URL('../../../../docs/forge.md', import.meta.url), 'utf8');
  const onPage = parse(/```yaml\n(.*?)```/s.exec(page)?.[1] ?? '') as {
    permissions: { scopes: string[]; external: { fetch: Record<string, unknown> } };
  };
  assert.deepEqual(onPage.permissions.external, permissions.external);
  assert.deepEqual(onPage.permissions.scopes, ['storage:app']);
  const entry = (scheme: string) => ({ address: `${scheme}://relay.example.com`, inScopeEUD: true });
  assert.deepEqual(permissions.external.fetch, {
    client: [entry('wss'), entry('https')],
    backend: [entry('https')],
  });
});

test('packages that sealwire needs are named where they are missing', (t) => {
  const of = findings(t, {
    'package.json': '{"dependencies":{"@forge/resolver":"2"}}',
    'src/index.js': `import { publish } from '@forge/realtime';\n`,
  });
  assert.deepEqual(places(of('package')), ['package.json:']);
  assert.match(of('package')[0]!.message, /npm install @forge\/kvs/);
});

test('of several apps in one folder, only those that use Forge Realtime get findings', (t) => {
  const resolver = `import Resolver from '@forge/resolver';\nconst realtime = 1;\nnew Resolver().getDefinitions();\n`;
  const of = findings(t, {
    'a/manifest.yml': 'app: {}\n',
    'a/src/index.js': resolver,
    'a/static/page/src/page.js': `import { realtime } from '@forge/bridge';\n`,
    'b/manifest.yml': 'app: {}\n',
    'b/src/index.js': resolver,
  });
  assert.deepEqual(places(of('session')), ['a/src/index.js:3', 'a/src/index.js:3']);
  assert.deepEqual([...new Set(places(of('manifest')))], ['a/manifest.yml:']);
});

test('an app that does not use Forge Realtime gets no findings', (t) => {
  const root = folder(t, {
    'package.json': '{}',
    'manifest.yml': 'app: {}\n',
    'page.js': `import { invoke } from '@forge/bridge';\ninvoke('x');\n`,
    'src/index.js': `import Resolver from '@forge/resolver';\nexport const handler = new Resolver().getDefinitions();\n`,
  });
  const { changes, findings: all } = migrateApp(root, '1.2.3', () => new Set());
  assert.deepEqual({ changes, all }, { changes: [], all: [] });
});
