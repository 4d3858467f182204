// The package's types under every module resolution and compiler that apps use.
import { spawnSync } from 'node:child_process';
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { project } from './support/project.mjs';
import { compilers, typescript5 } from './support/typescript.mjs';

const USE = `
import { realtime, createRealtime, Jira, SealwireError, type RealtimeEvent, type SessionGrant } from 'sealwire';
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
// @ts-expect-error a call with an argument of the wrong type does not compile
realtime.subscribe(7);
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

const USES = [
  ['the entries', USE, []],
  ['the entry under the name of Forge', USE_AS_FORGE, []],
  ['the hooks', USE_IN_REACT, ['@types/react', '@types/prop-types', 'csstype']],
];

function run(tsc, args, cwd) {
  const { status, stdout } = spawnSync(process.execPath, [tsc, ...args], { cwd, encoding: 'utf8' });
  assert.equal(status, 0, stdout);
}

function compile(t, tsc, module, moduleResolution, file, use, packages) {
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2022', 'dom'],
    module,
    moduleResolution,
    strict: true,
    noEmit: true,
    types: [],
    // This checks the package's own declarations as well.
    skipLibCheck: false,
  };
  const files = { [file]: use, 'tsconfig.json': JSON.stringify({ compilerOptions, files: [file] }) };
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
    const files =
      resolution.startsWith('node') && resolution !== 'node10' ? ['use.mts', 'use.cts'] : ['use.ts'];
    for (const file of files) {
      for (const [what, use, packages] of USES) {
        test(`${what} in ${file} compile under moduleResolution ${resolution} of TypeScript ${version}`, (t) =>
          compile(t, tsc, module, resolution, file, use, packages));
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
  const folder = project(t, { files, packages: ['@types/react', '@types/prop-types', 'csstype'] });
  run(typescript5[1], ['--noEmit', '--skipLibCheck', 'use.ts', 'forge.ts'], folder);
});
