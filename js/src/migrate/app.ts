// Migrates the folder of an app in memory: the changed files, and everything that a person has to decide.

import type { Facts } from './decisions.js';
import type { Finding } from './document.js';
import { list, read, type Listing } from './files.js';
import { manifestFindings } from './manifest.js';
import { isConcerned, migrateFile } from './migrate-file.js';
import { migratePackage, type PackageUse } from './package-json.js';
import { BRIDGE, REALTIME } from './rules.js';
import { isScript } from './syntax.js';

export interface Change {
  /** The path relative to the app's folder. */
  file: string;
  before: string;
  after: string;
}

export interface Migration {
  changes: Change[];
  findings: Finding[];
  /** The number of source files that were read. */
  read: number;
  /** Links and nested repositories, which are not followed. */
  skipped: string[];
  /** The folders whose package.json changed. */
  packages: string[];
}

/** Files that can hold code of a page in a form that the command does not read. */
const OTHER_CODE = /\.(?:vue|svelte|astro|mdx|html)$/;
const MANIFEST = /^(?:.*\/)?manifest\.ya?ml$/;

/** The result for one source file. */
interface Source {
  file: string;
  after: string;
  facts: Facts | undefined;
}

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
  if (sources.some(({ facts }) => facts?.isConcerned)) {
    reportApp(migration, sources);
    for (const file of own.filter((name) => MANIFEST.test(name))) {
      const found = read(root, file);
      if ('text' in found) migration.findings.push(...manifestFindings(file, found.text));
    }
    migratePackages(migration, root, own, sources, version);
  }
  return migration;
}

function migrateSource(migration: Migration, root: string, file: string, isDry: boolean): Source[] {
  if (!isScript(file) && !OTHER_CODE.test(file)) return [];
  const found = read(root, file);
  migration.read += 1;
  if (!('text' in found)) {
    if (isScript(file)) place(migration, file, `The file was not read: ${found.reason}.`);
    return [];
  }
  if (!isConcerned(found.text)) return [];
  if (!isScript(file)) {
    const names = [REALTIME, `${BRIDGE}`].filter((name) => found.text.includes(name));
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

/** Reports what depends on several files: the session function, wrap() and authorize(). */
function reportApp(migration: Migration, sources: readonly Source[]): void {
  const { findings } = migration;
  const all = sources.flatMap(({ file, facts }) => (facts ? [{ file, facts }] : []));
  const hasAuthorize = all.some(({ facts }) => facts.hasAuthorize);
  if (!all.some(({ facts }) => facts.hasSession)) {
    const resolvers = all.flatMap(({ file, facts }) => facts.resolvers.map((node) => ({ file, node })));
    const message =
      "Pages need a session: createRealtime({ authorize }) from 'sealwire/resolver', and " +
      "resolver.define('sealwire:session', realtime.session). You decide in `authorize` who may have one.";
    for (const { file, node } of resolvers)
      findings.push({ file, ...lineOf(node), rule: 'session', message });
    if (resolvers.length === 0) {
      findings.push({ file: '.', rule: 'session', message: `The app has no resolver yet. ${message}` });
    }
  }
  for (const { file, facts } of all) {
    for (const node of facts.unwrapped) {
      const message =
        'Wrap the definitions, realtime.wrap(resolver.getDefinitions()): publish() and signRealtimeToken() then ' +
        'know the invocation in which they are called.';
      findings.push({ file, ...lineOf(node), rule: 'session', message });
    }
    if (hasAuthorize) continue;
    for (const node of facts.overrides) {
      const message =
        'A session has a property only if Atlassian signed it or `authorize` verified it. Return it from `authorize`, ' +
        'for example with verifyIssue, verifyProject or verifyContent.' +
        (facts.isFunction ? ' Publish with the realtime that has this `authorize`.' : '');
      findings.push({ file, ...lineOf(node), rule: 'overrides', message });
    }
  }
}

function lineOf(node: { loc?: { start: { line: number } } | null }): { line?: number } {
  return node.loc ? { line: node.loc.start.line } : {};
}

/** Changes each package.json whose files import `sealwire`. */
function migratePackages(
  migration: Migration,
  root: string,
  files: readonly string[],
  sources: readonly Source[],
  version: string,
): void {
  const uses = new Map<string, PackageUse>();
  const isPackage = new Set(files.filter((file) => /^(?:.*\/)?package\.json$/.test(file)));
  for (const { file, after } of sources) {
    const page = /['"`]sealwire(?:\/react)?['"`]/.test(after);
    const isFunction = /['"`]sealwire\/(?:realtime|resolver)['"`]/.test(after);
    const realtime = after.includes(REALTIME);
    if (!page && !isFunction && !realtime) continue;
    const owner = ownerOf(file, isPackage);
    if (owner === undefined) {
      migration.findings.push({
        file,
        rule: 'package',
        message: 'No package.json above this file. Install `sealwire`.',
      });
      continue;
    }
    const use = uses.get(owner) ?? { page: false, function: false, realtime: false };
    uses.set(owner, {
      page: use.page || page,
      function: use.function || isFunction,
      realtime: use.realtime || realtime,
    });
  }
  for (const [file, use] of uses) {
    const found = read(root, file);
    if (!('text' in found) || (!use.page && !use.function)) continue;
    const { text, findings } = migratePackage(file, found.text, use, version);
    migration.findings.push(...findings);
    if (text === found.text) continue;
    migration.changes.push({ file, before: found.text, after: text });
    migration.packages.push(file.slice(0, -'package.json'.length).replace(/\/$/, '') || '.');
  }
}

/** Returns the package.json in the closest folder above a file. */
function ownerOf(file: string, packages: ReadonlySet<string>): string | undefined {
  const folders = file.split('/').slice(0, -1);
  for (;;) {
    const candidate = [...folders, 'package.json'].join('/');
    if (packages.has(candidate)) return candidate;
    if (folders.pop() === undefined) return undefined;
  }
}
