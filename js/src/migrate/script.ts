// One parsed file during its migration.

import type { Program } from '@babel/types';

import type { Document } from './document.js';
import { isFree } from './names.js';
import { visits, type Node, type Visit } from './syntax.js';

export class Script {
  readonly #above = new Map<Node, Visit>();

  constructor(
    readonly document: Document,
    readonly program: Program,
  ) {
    for (const visit of visits(program)) this.#above.set(visit.node, visit);
  }

  /** The visit of a node, with the nodes that contain it. */
  visit(node: Node): Visit {
    return this.#above.get(node) ?? { node, parent: undefined };
  }

  /** A name for the module `sealwire` that nothing in the file has. */
  freeName(): string {
    const names = ['sealwire', 'sealwireRealtime', 'sealwireModule', 'migratedSealwire'];
    return names.find((name) => isFree(this.program, name)) ?? 'sealwireOfThisFile';
  }

  /** Reports a place that the command cannot change. */
  unchanged(node: Node, message: string): void {
    this.document.report(node, 'place', message);
  }
}
