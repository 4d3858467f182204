// Pages of UI Kit, built by Forge's own bundler with the real @forge/react: under every module resolution that apps use, and in
// Chromium in both of Forge's runtimes, an iframe and a web worker, with a relay process.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { TestPlatform } from '../../examples/test-platform/src/platform.mjs';
import { APP, startRelay } from '../e2e/support/relay.mjs';
import { bundle, runBundler } from './support/forge-bundler.mjs';
import { project, root } from './support/project.mjs';
import { uiKitHost } from './support/ui-kit/host.mjs';

const FORGE = ['@forge/bridge', '@forge/kvs', '@forge/react', '@forge/resolver'];
const PACKAGES = [...FORGE, 'react', '@types/node', '@types/react', '@types/prop-types', 'csstype'];

const FUNCTIONS = `
  import Resolver from '@forge/resolver';
  import { createRealtime } from 'sealwire/resolver';

  const realtime = createRealtime({ authorize: () => ({ properties: ['issue'] }) });
  const resolver = new Resolver();
  resolver.define('sealwire:session', realtime.session);
  export const handler = realtime.wrap(resolver.getDefinitions());
`;

const PAGE = `
  import React, { useState } from 'react';
  import ForgeReconciler, { Button, Stack, Text } from '@forge/react';
  import { Jira, realtime } from 'sealwire';
  import { useChannel, usePublish, useRealtimeState } from 'sealwire/react';

  const AT_THIS_ISSUE = { contextOverrides: [Jira.Issue] };

  function App() {
    const [texts, setTexts] = useState([TEXTS]);
    const { status, error } = useChannelTYPED(
      'notes',
      (note) => setTexts((known) => [...known, note.text]),
      { ...AT_THIS_ISSUE, onError: (problem) => setTexts((known) => [...known, problem.code]) },
    );
    const publish = usePublish('notes', AT_THIS_ISSUE);
    const state = useRealtimeState();
    return (
      <Stack>
        <Text>{[status, state, realtime.core, error?.code, ...texts].join(' ')}</Text>
        <Button onClick={() => publish({ text: 'hello' })}>Send</Button>
      </Stack>
    );
  }

  ForgeReconciler.render(<React.StrictMode><App /></React.StrictMode>);
`;

/** The page, with its types in TypeScript only. */
const page = (typed) =>
  PAGE.replace('TYPED', typed ? '<{ text: string }>' : '').replace(
    '([TEXTS])',
    typed ? '<string[]>([])' : '([])',
  );

const JSX = { 'src/frontend/index.jsx': page(false), 'src/index.js': FUNCTIONS };
const TSX = { 'src/frontend/index.tsx': page(true), 'src/index.ts': FUNCTIONS };

const tsconfig = (module, moduleResolution) => {
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2023', 'dom'],
    module,
    moduleResolution,
    jsx: 'react',
    esModuleInterop: true,
    strict: true,
    skipLibCheck: true,
  };
  return { 'tsconfig.json': JSON.stringify({ compilerOptions, include: ['src'] }) };
};

const APPS = [
  ['JavaScript', JSX, ['iframe', 'worker']],
  ['TypeScript with moduleResolution node', { ...TSX, ...tsconfig('esnext', 'node') }, ['iframe', 'iframe']],
  [
    'TypeScript with moduleResolution nodenext',
    { ...TSX, ...tsconfig('nodenext', 'nodenext') },
    ['iframe', 'iframe'],
  ],
];

const EXAMPLE = path.join(root, 'examples/issue-panel-uikit');

/** Returns the files of the example: functions and panel in TypeScript with moduleResolution bundler. */
function filesOfExample() {
  const names = readdirSync(path.join(EXAMPLE, 'src'), { recursive: true }).filter((name) =>
    /\.tsx?$/.test(name),
  );
  const files = ['tsconfig.json', ...names.map((name) => path.join('src', name))];
  return Object.fromEntries(files.map((file) => [file, readFileSync(path.join(EXAMPLE, file), 'utf8')]));
}

const entryOf = (files) => Object.keys(files)[0];

/** Returns what the bridge answers to the app of a folder, whose functions Forge bundles. */
async function bridgeTo(folder, relay, product = () => undefined) {
  process.env.SEALWIRE_URL = `ws://127.0.0.1:${relay.port}`;
  process.env.SEALWIRE_APP = APP;
  process.env.SEALWIRE_SIGNING_KEY = relay.signingKey;
  const out = await bundle('functions', folder, 'index');
  const functions = createRequire(import.meta.url)(path.join(out, 'index.cjs'));
  const platform = new TestPlatform({ product });
  const extension = {
    type: 'jira:issuePanel',
    issue: { id: '10042', key: 'AB-7' },
    project: { id: '1', key: 'AB' },
  };
  const context = { moduleKey: 'work', extension };
  /** The platform of the test runs one invocation at a time. */
  let last = Promise.resolve();
  const inTurn = (work) => (last = last.then(work, work));
  const answer = (user, command, { functionKey, payload, restPath } = {}) => {
    if (command === 'getContext') return { ...context, accountId: user };
    if (command === 'invoke') {
      return inTurn(() =>
        platform.invoke(functions.handler, functionKey, payload, { context, accountId: user }),
      );
    }
    assert.equal(command, 'fetchProduct');
    return { body: JSON.stringify(product(user, restPath)), headers: {}, status: 200, statusText: '' };
  };
  return { answer, deliver: (name, event) => inTurn(() => platform.deliver(functions[name], event)) };
}

const policyFor = (port) =>
  `default-src 'self'; script-src 'self'; connect-src 'self' ws://127.0.0.1:${port} http://127.0.0.1:${port}`;

test('Forge refuses a page in TypeScript without a tsconfig', async (t) => {
  const folder = project(t, { files: TSX, packages: PACKAGES });
  assert.match((await runBundler('page', folder, entryOf(TSX))).complaints, /tsconfig/);
});

describe('a UI Kit page with a relay', () => {
  let relay;
  before(async () => (relay = await startRelay()));
  after(() => relay?.stop());

  /** Bundles an app, and returns a function that opens its page, and one that delivers an event to its functions. */
  async function host(t, files, entry, { worker, product }) {
    const folder = project(t, { files, packages: PACKAGES });
    const out = await bundle('page', folder, entry, { worker });
    const { answer, deliver } = await bridgeTo(folder, relay, product);
    return { deliver, open: await uiKitHost(t, { folder: out, answer, policy: policyFor(relay.port) }) };
  }

  for (const [name, files, runtimes] of APPS) {
    test(`of an app in ${name} publishes and receives, each user in: ${runtimes.join(', ')}`, async (t) => {
      const { open } = await host(t, files, entryOf(files), { worker: runtimes.includes('worker') });
      const anna = await open('anna', runtimes[0]);
      const ben = await open('ben', runtimes[1]);
      for (const user of [anna, ben]) await user.shows(/^subscribed connected js  Send/);
      await anna.press('Send');
      await ben.shows(/js  hello Send/);
      await ben.press('Send');
      await anna.shows(/js  hello hello Send/);
    });
  }

  test('of the example shows the work of others and comments in both runtimes, and notices the network', async (t) => {
    let comments = 1;
    const product = (_, restPath) =>
      restPath.includes('/comment?')
        ? { total: comments }
        : { id: '10042', fields: { project: { id: '1' } } };
    const { open, deliver } = await host(t, filesOfExample(), 'src/frontend/index.tsx', {
      worker: true,
      product,
    });
    const anna = await open('anna', 'worker');
    const ben = await open('ben', 'iframe');
    for (const user of [anna, ben]) await user.shows(/At work: nobody I work on it Comments: 1$/);
    await anna.press('I work on it');
    await ben.shows(/At work: @anna I work on it/);
    await ben.press('I work on it');
    await anna.shows(/At work: @anna @ben I stop/);
    comments = 2;
    await deliver('commented', { eventType: 'avi:jira:commented:issue', issue: { id: '10042' } });
    for (const user of [anna, ben]) await user.shows(/Comments: 2$/);

    for (const user of [anna, ben]) {
      await user.goOffline();
      await user.shows(/Comments: 2 suspended$/);
    }
    comments = 3;
    await deliver('commented', { eventType: 'avi:jira:commented:issue', issue: { id: '10042' } });
    for (const user of [anna, ben]) {
      await user.goOnline();
      await user.shows(/Comments: 3$/);
    }
  });
});
