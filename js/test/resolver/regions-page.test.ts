// docs/regions.md: Forge's own validation accepts its manifests, its table agrees with the installed schema, and its code runs.

import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { validate } from '@forge/manifest';
import { build } from 'esbuild';
import * as yaml from 'yaml';

import type { Realtime } from '../../src/backend/types.js';
import { context, SIGNING_KEY } from '../support/relay.js';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const PAGE = readFileSync(path.join(ROOT, 'docs/regions.md'), 'utf8');
const MINIMAL = path.join(ROOT, 'examples/minimal');
const installed = (file: string) =>
  JSON.parse(readFileSync(path.join(ROOT, 'node_modules/@forge/manifest', file), 'utf8'));

/** Returns the code blocks of the page in a language, in order. */
function blocks(language: string): string[] {
  const pattern = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm');
  return [...PAGE.matchAll(pattern)].map(([, block]) => block!);
}

/** Validates the manifest of examples/minimal with sections of the page in place of its own. Returns the problems. */
async function problems(sections: object): Promise<string[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'sealwire-regions-'));
  const before = process.cwd();
  try {
    mkdirSync(path.join(folder, 'page'));
    mkdirSync(path.join(folder, 'src'));
    writeFileSync(path.join(folder, 'page/index.html'), '<html></html>');
    copyFileSync(path.join(MINIMAL, 'src/index.js'), path.join(folder, 'src/index.js'));
    const own = yaml.parse(readFileSync(path.join(MINIMAL, 'manifest.yml'), 'utf8')) as object;
    writeFileSync(path.join(folder, 'manifest.yml'), yaml.stringify({ ...own, ...sections }));
    process.chdir(folder);
    const { errors = [] } = await validate(false, 'manifest.yml');
    return errors.map(({ message }: { message: string }) => message);
  } finally {
    process.chdir(before);
    rmSync(folder, { recursive: true });
  }
}

const manifests = blocks('yaml').map((block) => yaml.parse(block) as Record<string, any>);

test('Forge accepts the manifests of the page without an error or a warning', async () => {
  assert.equal(manifests.length, 2);
  for (const manifest of manifests) assert.deepEqual(await problems(manifest), []);
});

test('Forge refuses what the table excludes', async () => {
  const [regions, configured] = manifests.map((manifest) => structuredClone(manifest)) as [any, any];
  const with_ = (manifest: any, change: (remotes: any[]) => void) => {
    const copy = structuredClone(manifest);
    change(copy.remotes);
    return problems(copy);
  };
  assert.match((await with_(regions, ([relay]) => delete relay.baseUrl.default)).join(), /default/);
  assert.match(
    (await with_(regions, ([relay]) => (relay.baseUrl.FR = 'https://fr.example.com'))).join(),
    /FR|enum/,
  );
  assert.match(
    (await with_(regions, ([relay]) => delete relay.baseUrl.EU)).join(),
    /All region specific URLs are not declared for relay/,
  );
  assert.notDeepEqual(
    await with_(regions, ([relay]) => (relay.baseUrl.default = 'http://us.example.com')),
    [],
  );
  assert.match((await with_(configured, ([relay]) => delete relay.configurable.name)).join(), /name/);
  assert.match(
    (await with_(configured, ([relay]) => delete relay.configurable)).join(),
    /must declare either baseUrl or configurable for relay/,
  );
});

test('the page names the installed version of Forge’s manifest, and all regions of its schema', () => {
  assert.match(
    PAGE,
    new RegExp(`\`@forge/manifest\` ${installed('package.json').version.replaceAll('.', '\\.')};`),
  );
  const { definitions } = installed('out/schema/manifest-schema.json');
  const [, object] = definitions.RemoteBaseUrlSchema.oneOf;
  const row = /^\| Regions of `remotes\[\]\.baseUrl` \| (.*) \|$/m.exec(PAGE)?.[1] ?? '';
  const named = [...row.matchAll(/`(\w+)`/g)].map(([, name]) => name);
  assert.deepEqual(named.sort(), [...object.propertyNames.enum].sort());
  assert.deepEqual(object.required, ['default']);
  assert.deepEqual(definitions.RemoteConfigurableSchema.required, ['name', 'description']);
  const { external } = definitions.AppPermissionsSchema.properties;
  assert.deepEqual(external.properties.configurable.required, ['enabled']);
});

/** The parts of Forge that the code of the page uses. */
interface Platform {
  stored: Map<string, unknown>;
  remote: (
    key: string,
    options: { path: string },
  ) => { ok: boolean; status: number; text: () => Promise<string> };
}

/** Runs the code block that contains a text, with a stand-in for Forge, and returns its realtime. */
async function run(t: TestContext, containing: string, platform: Platform): Promise<Realtime> {
  const block = blocks('js').find((code) => code.includes(containing));
  const stubs: Record<string, string> = {
    '@forge/api': 'export const invokeRemote = async (...all) => globalThis.__platform.remote(...all);',
    '@forge/kvs': `
      const { stored } = globalThis.__platform;
      export const kvs = {
        get: async (key) => stored.get(key),
        set: async (key, value) => void stored.set(key, value),
        getSecret: async (key) => stored.get(key),
        setSecret: async (key, value) => void stored.set(key, value),
      };`,
    // A CommonJS package, whose exports Node returns as the default export.
    '@forge/resolver': "import made from '@forge/resolver'; export default made.default ?? made;",
    'sealwire/resolver': `
      import { createRealtime as create } from ${JSON.stringify(path.join(ROOT, 'js/src/resolver.ts'))};
      const secrets = new Map();
      export const createRealtime = (options) => create({
        ...options, app: options.app ?? 'my-app', environment: 'test',
        secrets: {
          read: async (name) => secrets.get(name),
          create: async (name, secret) => (secrets.set(name, secret), secret),
          replace: async (name, secret) => void secrets.set(name, secret),
        },
      });
      export const verifyIssue = async () => ({ properties: ['dashboard'] });`,
  };
  Object.assign(globalThis, { __platform: platform });
  const { outputFiles } = await build({
    stdin: { contents: block!, resolveDir: ROOT, sourcefile: 'regions.md' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    write: false,
    external: ['@forge/*', 'node:*'],
    plugins: [
      {
        name: 'forge',
        setup(plugin) {
          plugin.onResolve({ filter: /^(@forge\/(api|kvs|resolver)|sealwire\/resolver)$/ }, (found) =>
            found.namespace === 'stub'
              ? { path: found.path, external: true }
              : { path: found.path, namespace: 'stub' },
          );
          plugin.onLoad({ filter: /.*/, namespace: 'stub' }, ({ path: name }) => ({
            contents: stubs[name]!,
            resolveDir: ROOT,
          }));
        },
      },
    ],
  });
  const file = path.join(ROOT, 'js/dist/test', `regions-${process.pid}-${Date.now()}.mjs`);
  writeFileSync(file, outputFiles[0]!.text);
  t.after(() => rmSync(file));
  return ((await import(pathToFileURL(file).href)) as { realtime: Realtime }).realtime;
}

test('the function of a region asks the remote once, and refuses a region without a relay', async (t) => {
  process.env['RELAY_KEY_EU'] = SIGNING_KEY;
  const asked: [string, string][] = [];
  let region = 'eu\n';
  const platform: Platform = {
    stored: new Map(),
    remote: (key, options) => {
      asked.push([key, options.path]);
      return { ok: true, status: 200, text: async () => region };
    },
  };
  const realtime = await run(t, 'invokeRemote', platform);
  const session = () => realtime.session({ context });
  assert.equal((await session()).url, 'wss://eu.relay.example.com/v1/realtime');
  const first = asked.length;
  assert.equal((await session()).url, 'wss://eu.relay.example.com/v1/realtime');
  assert.equal(asked.length, first, 'the storage keeps the region');
  assert.deepEqual(asked[0], ['relay', '/region']);
  assert.equal(platform.stored.get('relay-region'), 'eu');

  platform.stored.clear();
  region = 'evil.example';
  await assert.rejects(session(), /option url failed: There is no relay in the region of this installation/);
  assert.equal(platform.stored.size, 0, 'an unknown region is not kept');
  platform.stored.set('relay-region', 'us');
  await assert.rejects(session(), /function of the option signingKey must return .*, not an empty text/);
  delete process.env['RELAY_KEY_EU'];
});

test('without a configured relay of the customer there is no session, and with one the session is for it', async (t) => {
  const platform: Platform = { stored: new Map(), remote: () => assert.fail('no remote') };
  const realtime = await run(t, 'configuredRelay', platform);
  const session = () => realtime.session({ context });
  await assert.rejects(
    session(),
    /function of the option url failed: No relay is configured\. .*SESSION_UNAVAILABLE/,
  );
  platform.stored.set('relay', { url: 'wss://relay.customer.example', app: 'ours', signingKey: SIGNING_KEY });
  const grant = await session();
  assert.deepEqual([grant.url, grant.app], ['wss://relay.customer.example/v1/realtime', 'ours']);
});
