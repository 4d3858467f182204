// Finds the package.json of each migrated file, and migrates it.

import { read } from './files.js';
import type { Migration, Source } from './migration.js';
import { migratePackage, type PackageUse } from './package-json.js';
import { folderOf, ownerOf } from './paths.js';
import { REALTIME } from './rules.js';

/** Changes each package.json whose files import `sealwire`. */
export function migratePackages(
  migration: Migration,
  root: string,
  files: readonly string[],
  sources: readonly Source[],
  version: string,
): void {
  const uses = new Map<string, PackageUse>();
  const manifests = files.filter((file) => /^(?:.*\/)?package\.json$/.test(file));
  for (const { file, after } of sources) {
    const page = /['"`]sealwire(?:\/react)?['"`]/.test(after);
    const isFunction = /['"`]sealwire\/(?:realtime|resolver)['"`]/.test(after);
    const realtime = after.includes(REALTIME);
    if (!page && !isFunction && !realtime) continue;
    const owner = ownerOf(file, manifests);
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
    migration.packages.push(folderOf(file));
  }
}
