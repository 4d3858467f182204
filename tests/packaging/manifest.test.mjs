// The package's manifest and types, checked by publint and Are the Types Wrong.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';

import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

import { project, root, tarball } from './support/project.mjs';

test('publint reports no problem', async (t) => {
  const pkgDir = path.join(project(t), 'node_modules', 'sealwire');
  const { messages, pkg } = await publint({ pkgDir, pack: false, strict: true });
  assert.deepEqual(
    messages.map((message) => formatMessage(message, pkg)),
    [],
  );
});

test('the types match the code under every module resolution', () => {
  const attw = path.join(root, 'node_modules/.bin/attw');
  execFileSync(attw, [tarball, '--no-color', '--no-emoji'], { encoding: 'utf8' });
});
