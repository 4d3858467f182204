// The package's types under every module resolution and compiler that apps use.
import { spawnSync } from 'node:child_process';
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { project } from './support/project.mjs';
import { compilers, typescript5 } from './support/typescript.mjs';

const USE = `
import { realtime, createRealtime, Jira, SealwireError, type RealtimeEvent, type SessionGrant } from 'sealwire';
import { showDevtools, type DevtoolsElement } from 'sealwire/devtools';
import { createTestRelay, type TestRelay } from 'sealwire/testing';
import { publish, wrap, createRealtime as onResolver, type PublishResult } from 'sealwire/resolver';

interface Absence { person: string }
export const subscribing = realtime.subscribe<Absence>('n', (payload, error, event) => {
  const person: string = payload.person;
  const about: RealtimeEvent | undefined = event;
  return [person, about?.eventId, error instanceof SealwireError ? error.code : undefined];
}, { contextOverrides: [Jira.Dashboard], replaySeconds: 60 });
export const own = createRealtime({ core: 'js', session: async (): Promise<SessionGrant> => { throw new Error(); } });
export const published: Promise<PublishResult> = publish('n', { person: 'Ada' });
export const handler = wrap(async (event: string, context: { installContext: string }) => event + context.installContext);
export const session = onResolver({ authorize: ({ accountId }) => accountId !== undefined }).session;
export const tested: TestRelay = createTestRelay({ replaySeconds: 30 });
export const asPage: typeof realtime = tested.realtime({ accountId: 'ada', context: { moduleKey: 'panel' } });
export const asResolver: ReturnType<typeof onResolver> = tested.resolver();
export const hiding: () => void = showDevtools(own, { open: true });
export const panel: DevtoolsElement = document.createElement('sealwire-devtools');
panel.client = realtime;
// @ts-expect-error a call with an argument of the wrong type does not compile
realtime.subscribe(7);
// @ts-expect-error not a client
showDevtools({ open: true });
`;

const USE_IN_REACT = `
import { createElement } from 'react';
import { createRealtime, SealwireError } from 'sealwire';
import { RealtimeProvider, useChannel, usePublish, useRealtimeState } from 'sealwire/react';

interface Absence { person: string }
export function Absences({ issue }: { issue: string | undefined }) {
  const { status, error } = useChannel<Absence>(issue, (absence) => absence.person, { replaySeconds: 30 });
  useChannel<Absence>('news', {
    global: true,
    onMessage: (absence, event) => absence.person + event.eventId,
    onError: (problem: SealwireError) => problem.gap?.reason,
  });
  const publish = usePublish<Absence>('absences', { contextOverrides: ['dashboard'] });
  const publishing = publish({ person: status + error?.code + useRealtimeState() });
  // @ts-expect-error not an absence
  publish({ nobody: true });
  return createElement(RealtimeProvider, { realtime: createRealtime() }, String(publishing));
}
// @ts-expect-error without onError a gap would go unnoticed
export const useHalf = () => useChannel('news', { onMessage: () => {} });
`;

/** Code for @forge/realtime in which only the import was changed. */
const USE_AS_FORGE = `
import { publish, publishGlobal, signRealtimeToken } from 'sealwire/realtime';
export const published: Promise<{ eventId: string | null }> = publish('n', { person: 'Ada' });
export const publishedGlobally = publishGlobal('n', 'text');
export const signed = signRealtimeToken('n', { team: 'blue' }, ['subscribe']);
// @ts-expect-error a payload is not an array
publish('n', [1]);
`;

/** A channel map, and its use in every entry. */
const CHANNELS = `
export interface Note { text: string; tags: string[] }
export interface Channels { notes: Note; poll: { choice: number } | 'closed' }
`;

const USE_CHANNELS = `
import { createRealtime, type Realtime, type SubscriptionOptions } from 'sealwire';
import { createHooks } from 'sealwire/react';
import { showDevtools } from 'sealwire/devtools';
import { createRealtime as inFunctions } from 'sealwire/realtime';
import { createTestRelay } from 'sealwire/testing';
import type { Channels, Note } from './channels.EXT';

const options: SubscriptionOptions = { onResumed: ({ recovered }) => recovered, signal: new AbortController().signal };
const page = createRealtime<Channels>();
export const subscribing = page.subscribe('notes', (note) => note.tags.length, options);
export const hiding = showDevtools(page);
export const publishing = page.publish('poll', { choice: 1 });
export const { useChannel, usePublish } = createHooks<Channels>();
export const useNotes = () => [useChannel('notes', (note) => note.text), usePublish('poll')('closed')];
export const functions = inFunctions<Channels>({
  authorize: () => true,
  url: async (context) => (context.installContext === 'eu' ? 'wss://eu.example' : 'wss://us.example'),
});
export const tested: Realtime<Channels> = createTestRelay<Channels>().realtime();
export const notes: Note[] = createTestRelay<Channels>().published('notes').map(({ payload }) => payload);
// @ts-expect-error the map has no such channel
page.subscribe('note', () => {});
// @ts-expect-error a payload of another channel
functions.publish('notes', { choice: 1 });
// @ts-expect-error a payload of another channel
export const useWrong = () => usePublish('notes')('closed');
// @ts-expect-error an array goes inside an object
createRealtime<{ notes: Note[] }>();
`;

/** JavaScript cannot pass a type to a function: it declares the result. */
const USE_CHANNELS_IN_JAVASCRIPT = `
import { createRealtime, realtime as ofPage } from 'sealwire';
import { createHooks } from 'sealwire/react';
import { createRealtime as inFunctions } from 'sealwire/resolver';
import { createTestRelay } from 'sealwire/testing';

/** @typedef {import('./channels.EXT').Channels} Channels */

/** @type {import('sealwire').Realtime<Channels>} */
export const realtime = ofPage;
/** @type {import('sealwire').Realtime<Channels>} */
export const own = createRealtime({ timeoutMs: 1000 });
/** @type {import('sealwire/resolver').Realtime<Channels>} */
export const functions = inFunctions({ authorize: ({ accountId }) => accountId !== undefined });
/** @type {import('sealwire/react').Hooks<Channels>} */
export const { useChannel, usePublish } = createHooks();
/** @type {import('sealwire/testing').TestRelay<Channels>} */
const relay = createTestRelay();

export const subscribing = realtime.subscribe('notes', (note) => note.tags.length);
export const publishing = functions.publish('poll', { choice: 1 });
export const useNotes = () => [useChannel('notes', (note) => note.text), usePublish('poll')('closed')];
export const published = relay.published('notes').map(({ payload }) => payload.text.toUpperCase());
// @ts-expect-error the map has no such channel
own.subscribe('note', () => {});
// @ts-expect-error a payload of another channel
functions.publish('notes', { choice: 1 });
// @ts-expect-error a note has no choice
realtime.subscribe('notes', (note) => note.choice);
// @ts-expect-error a payload of another channel
export const useWrong = () => usePublish('notes')('closed');
// @ts-expect-error an array goes inside an object
ofPage.publish('anything', [1]);
`;

const REACT_TYPES = ['@types/react', '@types/prop-types', 'csstype'];

/**
 * The files of one program: the source without its extension, its text, and the kind of its language. The entries of the first
 * program compile without the types of React.
 */
const PROGRAMS = [
  {
    what: 'the entries, one of them under the name of Forge',
    sources: { entries: [USE, 'ts'], forge: [USE_AS_FORGE, 'ts'] },
    packages: [],
  },
  {
    what: 'the hooks and channel maps, also in JavaScript',
    sources: {
      hooks: [USE_IN_REACT, 'ts'],
      maps: [USE_CHANNELS, 'ts'],
      javascript: [USE_CHANNELS_IN_JAVASCRIPT, 'js'],
      channels: [CHANNELS, 'ts'],
    },
    packages: REACT_TYPES,
  },
];

function run(tsc, args, cwd) {
  const { status, stdout } = spawnSync(process.execPath, [tsc, ...args], { cwd, encoding: 'utf8' });
  assert.equal(status, 0, stdout);
}

/** Compiles a program. `format` is the first letter of the extension, as in `.mts`, or empty. */
function compile(t, tsc, module, moduleResolution, format, { sources, packages }) {
  const entries = Object.entries(sources).map(([name, [text, language]]) => [
    `${name}.${format}${language}`,
    text.replaceAll('./channels.EXT', `./channels.${format}js`),
  ]);
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2022', 'dom'],
    module,
    moduleResolution,
    strict: true,
    noEmit: true,
    types: [],
    allowJs: true,
    checkJs: true,
    // The compiler checks the package's own declarations as well, but not the library that it brings.
    skipLibCheck: false,
    skipDefaultLibCheck: true,
  };
  const tsconfig = JSON.stringify({ compilerOptions, files: entries.map(([file]) => file) });
  const files = { ...Object.fromEntries(entries), 'tsconfig.json': tsconfig };
  run(tsc, ['-p', project(t, { files, packages })]);
}

for (const [version, tsc] of compilers) {
  for (const [module, resolution] of [
    ['esnext', 'bundler'],
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    // The default of TypeScript 5, which TypeScript 7 has removed.
    ...(version.startsWith('5.') ? [['commonjs', 'node10']] : []),
  ]) {
    for (const format of ['node16', 'nodenext'].includes(resolution) ? ['m', 'c'] : ['']) {
      for (const program of PROGRAMS) {
        test(`${program.what}: .${format}ts under moduleResolution ${resolution} of TypeScript ${version}`, (t) =>
          compile(t, tsc, module, resolution, format, program));
      }
    }
  }
}

/** Code without features that need a library which TypeScript 5 does not include by default, such as async functions. */
const USE_WITHOUT_LIBRARY = `
import { realtime, Jira, SealwireError } from 'sealwire';
import { createRealtime, publish, verifyIssue } from 'sealwire/resolver';
import { usePublish } from 'sealwire/react';
import { createTestRelay } from 'sealwire/testing';
import { showDevtools } from 'sealwire/devtools';
export const hide: () => void = showDevtools();
const own = createRealtime({ authorize: verifyIssue });
export const handler = own.wrap(function (event: object) { return publish('n', { event: event }); });
export const page: typeof realtime = createTestRelay().realtime();
export const code = function (error: unknown) { return error instanceof SealwireError ? error.code : Jira.Issue; };
export const hook = usePublish;
// @ts-expect-error a call with an argument of the wrong type does not compile
publish(7, 'x');
`;

test('the entries compile without a tsconfig under TypeScript 5, as Forge compiles an app', (t) => {
  const files = { 'use.ts': USE_WITHOUT_LIBRARY, 'forge.ts': USE_AS_FORGE };
  const folder = project(t, { files, packages: REACT_TYPES });
  run(typescript5[1], ['--noEmit', '--skipLibCheck', 'use.ts', 'forge.ts'], folder);
});
