// Reads and writes the files of an app's folder. Symbolic links are never followed, and nothing outside the folder is written.

import {
  closeSync,
  fchmodSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';

/** The size above which a file is not read, in bytes. Sources are smaller; bundles are not sources. */
export const MAX_BYTES = 2 * 1024 * 1024;

/** The paths in a folder, relative to it and with slashes. */
export interface Listing {
  files: string[];
  /** Symbolic links, and folders that are repositories of their own. */
  skipped: string[];
}

/** Lists the files below a folder, without node_modules, hidden folders, links and nested repositories. */
export function list(root: string): Listing {
  const listing: Listing = { files: [], skipped: [] };
  const pending = [''];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    const entries = readdirSync(path.join(root, folder), { withFileTypes: true });
    if (folder !== '' && entries.some(({ name }) => name === '.git')) {
      listing.skipped.push(folder);
      continue;
    }
    for (const entry of entries) {
      const inner = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isSymbolicLink() && entry.name !== 'node_modules') listing.skipped.push(inner);
      else if (entry.isFile()) listing.files.push(inner);
      else if (entry.isDirectory() && entry.name !== 'node_modules' && !entry.name.startsWith('.')) {
        pending.push(inner);
      }
    }
  }
  listing.files.sort();
  listing.skipped.sort();
  return listing;
}

/** The text of a file, or the reason for which it cannot be changed. */
export type Read = { text: string } | { reason: string };

/** Reads a file as UTF-8. A byte order mark stays in the text. */
export function read(root: string, name: string): Read {
  const file = path.join(root, name);
  const { size } = lstatSync(file);
  if (size > MAX_BYTES) return { reason: `it has more than ${MAX_BYTES / 1024 / 1024} MiB` };
  const bytes = readFileSync(file);
  if (bytes.includes(0)) return { reason: 'it is a binary file' };
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { reason: 'it is not UTF-8' };
  }
}

/** Returns whether the bytes of a file of any size contain one of the texts. */
export function mentions(root: string, name: string, texts: readonly string[]): boolean {
  const file = openSync(path.join(root, name), 'r');
  const overlap = Math.max(...texts.map((text) => text.length));
  const buffer = Buffer.alloc(overlap + 64 * 1024);
  try {
    for (let kept = 0; ; kept = overlap) {
      const length = kept + readSync(file, buffer, kept, buffer.length - kept, null);
      if (texts.some((text) => buffer.subarray(0, length).includes(text))) return true;
      if (length < buffer.length) return false;
      buffer.copyWithin(0, length - overlap, length);
    }
  } finally {
    closeSync(file);
  }
}

/**
 * Replaces the text of a file. The file keeps its permissions, and is either the old or the new one at every moment.
 *
 * @throws Error if the file is outside of the folder by now, or has changed since it was read.
 */
export function write(root: string, name: string, before: string, after: string): void {
  const file = path.join(root, name);
  const folder = realpathSync(path.dirname(file));
  const isInside = folder === root || folder.startsWith(root + path.sep);
  const stat = lstatSync(file);
  if (!isInside || !stat.isFile()) throw new Error(`${name} is outside of the folder, and was not written.`);
  const now = read(root, name);
  if (!('text' in now) || now.text !== before)
    throw new Error(`${name} changed meanwhile. Run the command again.`);
  const temporary = path.join(folder, `.${path.basename(file)}.${process.pid}.tmp`);
  const created = openSync(temporary, 'wx');
  try {
    try {
      writeFileSync(created, after);
      fchmodSync(created, stat.mode);
    } finally {
      closeSync(created);
    }
    renameSync(temporary, file);
  } catch (thrown) {
    rmSync(temporary, { force: true });
    throw thrown;
  }
}
