// `sealwire migrate`: reads the arguments, migrates the folder, and writes or shows the changes.

import { realpathSync, statSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { migrateApp } from './app.js';
import { write } from './files.js';
import { ignored, whyNotUndone } from './git.js';
import { diffOf, reportOf } from './report.js';

export const MIGRATE_HELP = `Usage: sealwire migrate [folder] [--dry-run] [--force]

Moves an app from Forge Realtime to Sealwire: changes the imports of \`realtime\` from @forge/bridge and of everything from
@forge/realtime, adds sealwire to package.json, and lists the places at which you have to decide, with file and line.
The default folder is the current one. A second run changes nothing more.

  --dry-run  writes nothing, and prints the changes as a diff
  --force    writes although git could not undo the changes: uncommitted changes, or no repository
`;

/** The output of a command, and its exit status. */
export interface Outcome {
  out: string;
  error: string;
  status: number;
}

/** Runs the command. \`version\` is that of the package, which it adds to package.json. */
export function migrateCommand(args: readonly string[], version: string): Outcome {
  let given;
  try {
    given = parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS });
  } catch (thrown) {
    return failed(`${messageOf(thrown)}\n\n${MIGRATE_HELP}`, 2);
  }
  const { values, positionals } = given;
  if (values.help) return { out: MIGRATE_HELP, error: '', status: 0 };
  if (positionals.length > 1)
    return failed(`Name one folder, not ${positionals.length}.\n\n${MIGRATE_HELP}`, 2);
  const folder = positionals.at(0) ?? '.';
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    return failed(`${folder} is no folder. Name the folder of the app, which has its manifest.yml.\n`, 2);
  }
  return migrate(realpathSync(folder), version, values['dry-run'] === true, values.force === true);
}

const OPTIONS = {
  'dry-run': { type: 'boolean' },
  force: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

function migrate(root: string, version: string, isDry: boolean, isForced: boolean): Outcome {
  const migration = migrateApp(root, version, (files) => new Set(ignored(root, files)), isDry);
  const { changes } = migration;
  if (isDry) return { out: diffOf(changes) + reportOf(migration, true), error: '', status: 0 };
  const risk = changes.length === 0 || isForced ? undefined : whyNotUndone(root);
  if (risk !== undefined) {
    return failed(
      `${risk}, so git could not undo the migration. Nothing was written. Commit first, or use --force; ` +
        '--dry-run shows the changes.\n',
      1,
    );
  }
  let written = 0;
  try {
    for (const { file, before, after } of changes) {
      write(root, file, before, after);
      written += 1;
    }
  } catch (thrown) {
    return failed(`${messageOf(thrown)}\n${written} of ${changes.length} files were written.\n`, 1);
  }
  return { out: reportOf(migration, false), error: '', status: 0 };
}

function failed(error: string, status: number): Outcome {
  return { out: '', error, status };
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
