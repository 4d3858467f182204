// Migrates the folder of an app in memory: the changed files, and everything that a person has to decide.

import { appFindings } from './app-findings.js';
import { list, mentions, read, type Listing } from './files.js';
import { manifestFindings } from './manifest.js';
import { grouped } from './grouped.js';
import { isConcerned, migrateFile } from './migrate-file.js';
import type { Migration, Source } from './migration.js';
import { migratePackages } from './packages.js';
import { folderOf, ownerOf } from './paths.js';
import { BRIDGE, REALTIME } from './rules.js';
import { isScript } from './syntax.js';

/** Files that can hold code of a page in a form that the command does not read. */
const OTHER_CODE = /\.(?:vue|svelte|astro|mdx|html)$/;
const MANIFEST = /^(?:.*\/)?manifest\.ya?ml$/;

/**
 * Migrates the app in a folder. `isIgnored` tells the files that are not the app's own, such as the results of a build. The
 * findings have the lines of the changed files or, in a dry run, those of the present ones.
 */
export function migrateApp(
  root: string,
  version: string,
  isIgnored: (files: string[]) => Set<string>,
  isDry = false,
): Migration {
  const { files, skipped }: Listing = list(root);
  const notOurs = isIgnored(files);
  const own = files.filter((file) => !notOurs.has(file));
  const migration: Migration = { changes: [], findings: [], read: 0, skipped, packages: [] };
  const sources = own.flatMap((file) => migrateSource(migration, root, file, isDry));
  const manifests = own.filter((file) => MANIFEST.test(file));
  const apps = grouped(sources, ({ file }) => ownerOf(file, manifests));
  for (const [manifest, all] of apps) {
    if (!all.some(({ facts }) => facts?.isConcerned)) continue;
    migration.findings.push(...appFindings(folderOf(manifest), all));
    const found = manifest === undefined ? undefined : read(root, manifest);
    if (manifest !== undefined && found && 'text' in found) {
      migration.findings.push(...manifestFindings(manifest, found.text));
    }
    migratePackages(migration, root, own, all, version);
  }
  return migration;
}

function migrateSource(migration: Migration, root: string, file: string, isDry: boolean): Source[] {
  if (!isScript(file) && !OTHER_CODE.test(file)) return [];
  const found = read(root, file);
  migration.read += 1;
  if (!('text' in found)) {
    if (isScript(file) && mentions(root, file, [BRIDGE, REALTIME])) {
      place(migration, file, `The file was not changed: ${found.reason}.`);
    }
    return [];
  }
  if (!isConcerned(found.text)) return [];
  if (!isScript(file)) {
    const names = [REALTIME, BRIDGE].filter((name) => found.text.includes(name));
    const concerns = names.includes(REALTIME) || /\brealtime\b/.test(found.text.replaceAll(BRIDGE, ''));
    if (names.length > 0 && concerns)
      place(migration, file, 'Files of this kind are not changed. Change its imports.');
    return [];
  }
  const { text, ...before } = migrateFile(file, found.text);
  if (text !== found.text) migration.changes.push({ file, before: found.text, after: text });
  // The lines of the findings are those of the file that the reader of the report has.
  const { document, facts } = isDry ? before : migrateFile(file, text);
  migration.findings.push(...document.findings);
  return [{ file, after: text, facts }];
}

function place(migration: Migration, file: string, message: string): void {
  migration.findings.push({ file, rule: 'place', message });
}
