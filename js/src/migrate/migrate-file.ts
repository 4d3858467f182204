// Migrates the text of one file.

import { decisions, type Facts } from './decisions.js';
import { Document } from './document.js';
import { rewriteImports } from './rewrite.js';
import { BRIDGE, REALTIME } from './rules.js';
import { Script } from './script.js';
import { parseScript } from './syntax.js';

export interface MigratedFile {
  document: Document;
  text: string;
  facts?: Facts;
}

/** Returns whether a file can have anything to do with the migration. */
export function isConcerned(text: string): boolean {
  return [BRIDGE, REALTIME, '@forge/resolver', 'sealwire'].some((name) => text.includes(name));
}

/** Migrates a file. A file that cannot be parsed is reported and stays as it is. `name` is relative to the app's folder. */
export function migrateFile(name: string, text: string): MigratedFile {
  const document = new Document(name, text);
  try {
    const script = new Script(document, parseScript(name, text).program);
    rewriteImports(script);
    const facts = decisions(script);
    return { document, text: document.result(), facts };
  } catch (thrown) {
    return { document: unreadable(name, text, thrown), text };
  }
}

function unreadable(name: string, text: string, thrown: unknown): Document {
  const document = new Document(name, text);
  const { loc } = thrown as { loc?: { line?: unknown } };
  const why = thrown instanceof Error ? thrown.message.replace(/ \(\d+:\d+\)$/, '') : String(thrown);
  document.findings.push({
    file: name,
    ...(typeof loc?.line === 'number' && { line: loc.line }),
    rule: 'place',
    message: `The file cannot be parsed, and was not changed: ${why}`,
  });
  return document;
}
