// An app's folder in a temporary place, with and without git.

import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';

export type Files = Record<string, string | Uint8Array>;

/** Creates a folder that is removed when the test ends. */
export function folder(t: TestContext, files: Files): string {
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), 'sealwire-migrate-')));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  write(root, files);
  return root;
}

/** Creates a folder whose files are committed. */
export function repository(t: TestContext, files: Files): string {
  const root = folder(t, files);
  git(root, 'init', '--quiet');
  commit(root);
  return root;
}

export function commit(root: string): void {
  git(root, 'add', '--all');
  const author = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', '-c', 'commit.gpgsign=false'];
  git(root, ...author, 'commit', '--quiet', '--message', 'A state to return to');
}

export function git(root: string, ...args: string[]): string {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

export function write(root: string, files: Files): void {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(root, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

export function text(root: string, name: string): string {
  return readFileSync(path.join(root, name), 'utf8');
}

/** The texts of all files, without those of git. */
export function texts(root: string): Record<string, string> {
  const names = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .filter((name) => !name.startsWith('.git/'));
  return Object.fromEntries(names.sort().map((name) => [name, text(root, name)]));
}
