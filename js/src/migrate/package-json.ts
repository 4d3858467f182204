// Changes the dependencies of a package.json: adds `sealwire`, and removes `@forge/realtime` where nothing imports it.

import type { Finding } from './document.js';
import { REALTIME } from './rules.js';

/** The use of the package by the files of one package.json. */
export interface PackageUse {
  /** True if a page or a function imports `sealwire` now. */
  page: boolean;
  function: boolean;
  /** True if a file still names `@forge/realtime`. */
  realtime: boolean;
}

export interface MigratedPackage {
  text: string;
  findings: Finding[];
}

type Dependencies = Record<string, unknown>;
type Manifest = Record<string, unknown> & { dependencies?: Dependencies; devDependencies?: Dependencies };

/** The packages that `sealwire` needs beside it. */
const NEEDED = [
  ['page', '@forge/bridge'],
  ['function', '@forge/resolver'],
  ['function', '@forge/kvs'],
] as const;

/** Returns the changed text, with this version of `sealwire`. A text that is not a JSON object is reported and stays. */
export function migratePackage(
  file: string,
  text: string,
  use: PackageUse,
  version: string,
): MigratedPackage {
  const manifest = parse(text);
  if (!manifest) {
    return {
      text,
      findings: [{ file, rule: 'package', message: 'This is no JSON object. Add `sealwire` to it.' }],
    };
  }
  const all = new Map(sections(manifest).flatMap((section) => Object.entries(section)));
  const findings: Finding[] = NEEDED.filter(
    ([who, name]) => (who === 'page' ? use.page : use.function) && !all.has(name),
  ).map(([, name]) => ({
    file,
    rule: 'package',
    message: `Run \`npm install ${name}\` here: sealwire needs it.`,
  }));
  let changed = false;
  if (!all.has('sealwire')) {
    const dependencies = { ...manifest.dependencies, sealwire: `^${version}` };
    manifest.dependencies = Object.fromEntries(
      Object.entries(dependencies).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
    );
    changed = true;
  }
  if (all.has(REALTIME) && !use.realtime) {
    for (const section of sections(manifest)) Reflect.deleteProperty(section, REALTIME);
    changed = true;
  }
  return { text: changed ? written(manifest, text) : text, findings };
}

function parse(text: string): Manifest | undefined {
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Manifest;
  } catch {
    // Reported by the caller.
  }
  return undefined;
}

function sections({ dependencies, devDependencies }: Manifest): Dependencies[] {
  return [dependencies, devDependencies].filter((section) => typeof section === 'object' && section !== null);
}

/** Writes JSON with the indentation, line breaks and last line break of the former text, as npm does. */
function written(manifest: Manifest, before: string): string {
  const indentation = /^\s*\{\r?\n([ \t]+)/.exec(before)?.[1] ?? (before.includes('\n') ? '  ' : '');
  const text = JSON.stringify(manifest, null, indentation) + (before.endsWith('\n') ? '\n' : '');
  return before.includes('\r\n') ? text.replaceAll('\n', '\r\n') : text;
}
