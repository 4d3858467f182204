// Asks git about the app's folder: whether every change could be undone, and which files are ignored.

import { spawnSync } from 'node:child_process';

/** Returns why changes could not be undone with git, or nothing if they could. */
export function whyNotUndone(root: string): string | undefined {
  const status = git(root, ['status', '--porcelain', '-z', '--untracked-files=all', '--', '.']);
  if (status === undefined) return 'The folder is in no git repository, or git is not installed';
  const changed = status.split('\0').filter((line) => line !== '');
  if (changed.length === 0) return undefined;
  const first = changed.slice(0, 3).map((line) => line.slice(3));
  const more = changed.length > first.length ? ', …' : '';
  return `The folder has ${changed.length} changes that are not committed (${first.join(', ')}${more})`;
}

/** Returns the files that git ignores, such as the results of a build. */
export function ignored(root: string, files: readonly string[]): ReadonlySet<string> {
  const found = git(root, ['check-ignore', '-z', '--stdin'], files.join('\0'));
  return new Set((found ?? '').split('\0'));
}

function git(root: string, args: readonly string[], input = ''): string | undefined {
  // A repository can name a program in core.fsmonitor, which `git status` would run.
  const all = ['-c', 'core.fsmonitor=false', ...args];
  const { status, stdout } = spawnSync('git', all, {
    ...{ cwd: root, input, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  // check-ignore ends with 1 if nothing is ignored.
  return status === 0 || (status === 1 && args.at(0) === 'check-ignore') ? stdout : undefined;
}
