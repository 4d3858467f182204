import { spawnSync } from 'node:child_process';
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';

import { project, root } from './support/project.mjs';

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
// @ts-expect-error the package is typed, so a wrong use does not compile
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
// @ts-expect-error without onError nobody would hear of a gap
export const useHalf = () => useChannel('news', { onMessage: () => {} });
`;

const tsc = path.join(root, 'node_modules/typescript/bin/tsc');

function compile(t, module, moduleResolution, file, use = USE, packages = []) {
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2022', 'dom'],
    module,
    moduleResolution,
    strict: true,
    noEmit: true,
    types: [],
    // The package's own declarations are checked too.
    skipLibCheck: false,
  };
  const files = { [file]: use, 'tsconfig.json': JSON.stringify({ compilerOptions, files: [file] }) };
  const folder = project(t, { files, packages });
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
  assert.equal(status, 0, stdout);
}

for (const [module, resolution] of [
  ['esnext', 'bundler'],
  ['node16', 'node16'],
  ['nodenext', 'nodenext'],
]) {
  for (const file of resolution === 'bundler' ? ['use.ts'] : ['use.mts', 'use.cts']) {
    test(`${file} compiles under moduleResolution ${resolution}`, (t) =>
      compile(t, module, resolution, file));
    test(`the hooks in ${file} compile under moduleResolution ${resolution}`, (t) =>
      compile(t, module, resolution, file, USE_IN_REACT, ['@types/react', '@types/prop-types', 'csstype']));
  }
}
