// The writing of a file: only within the folder, only over the text that was read, and never half.

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, renameSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { mentions, write as replace } from '../../src/migrate/files.js';
import { ownerOf } from '../../src/migrate/paths.js';
import { folder, text, texts, write } from '../support/app-folder.js';

test('a file that changed since it was read is not replaced', (t) => {
  const root = folder(t, { 'a.js': 'new' });
  assert.throws(() => replace(root, 'a.js', 'old', 'migrated'), /a\.js changed meanwhile/);
  assert.deepEqual(texts(root), { 'a.js': 'new' });
  replace(root, 'a.js', 'new', 'migrated');
  assert.deepEqual(texts(root), { 'a.js': 'migrated' });
});

test('a folder that became a link to another place is not written to', (t) => {
  const outside = folder(t, { 'src/a.js': 'old' });
  const root = folder(t, { 'src/a.js': 'old' });
  renameSync(path.join(root, 'src'), path.join(root, 'former'));
  symlinkSync(path.join(outside, 'src'), path.join(root, 'src'));
  assert.throws(() => replace(root, 'src/a.js', 'old', 'migrated'), /outside of the folder/);
  assert.deepEqual(texts(outside), { 'src/a.js': 'old' });
});

test('a file that became a link is not written through', (t) => {
  const outside = folder(t, { 'a.js': 'old' });
  const root = folder(t, {});
  symlinkSync(path.join(outside, 'a.js'), path.join(root, 'a.js'));
  assert.throws(() => replace(root, 'a.js', 'old', 'migrated'), /outside of the folder/);
  assert.equal(text(outside, 'a.js'), 'old');
});

test('a failed replacement leaves the file and no other', (t) => {
  const root = folder(t, { 'a.js': 'old' });
  // The temporary file cannot be created.
  mkdirSync(path.join(root, `.a.js.${process.pid}.tmp`));
  assert.throws(() => replace(root, 'a.js', 'old', 'migrated'), /EEXIST/);
  assert.equal(text(root, 'a.js'), 'old');
  assert.deepEqual(
    readdirSync(root).filter((name) => name.endsWith('.js')),
    ['a.js'],
  );
});

test('a text is found at the borders of the pieces in which a large file is read', (t) => {
  const root = folder(t, {});
  for (const before of [0, 1, 65_529, 65_536, 65_543, 131_072]) {
    write(root, { 'a.js': `${' '.repeat(before)}@forge/bridge${' '.repeat(100_000)}` });
    assert.ok(mentions(root, 'a.js', ['@forge/bridge', 'nothing']), String(before));
    assert.ok(!mentions(root, 'a.js', ['@forge/realtime']), String(before));
  }
});

test('the closest file above another one belongs to it', () => {
  const all = ['package.json', 'static/page/package.json', 'static/page/src/deep/package.json'];
  assert.equal(ownerOf('src/index.js', all), 'package.json');
  assert.equal(ownerOf('static/page/src/App.jsx', all), 'static/page/package.json');
  assert.equal(ownerOf('static/pages/App.jsx', all), 'package.json');
  assert.equal(ownerOf('src/index.js', ['static/package.json']), undefined);
});
