// The results of a migration.

import type { Facts } from './decisions.js';
import type { Finding } from './document.js';

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

/** The result for one source file. */
export interface Source {
  file: string;
  after: string;
  facts: Facts | undefined;
}
