// Divides names in braces, as of an import or of a destructuring pattern, between two modules.

import type { Document } from './document.js';
import { end, start } from './document.js';
import type { Node } from './syntax.js';

/**
 * Plans to remove some of the names in braces, with the commas and line breaks between them. Comments beside a removed name
 * stay.
 */
export function removeFrom(document: Document, all: readonly Node[], removed: readonly Node[]): void {
  const kept = all.filter((node) => !removed.includes(node));
  const last = kept.at(-1);
  for (const node of removed) {
    const next = all.at(all.indexOf(node) + 1);
    const isBehind = last === undefined || start(node) > start(last);
    const before = isBehind ? all.at(all.indexOf(node) - 1) : undefined;
    const range =
      before && start(before) < start(node)
        ? { start: end(before), end: end(node) }
        : { start: start(node), end: next ? start(next) : end(node) };
    document.replace(withoutComments(document, node, range), '');
  }
}

/** The text of names in braces, as `{ a, b as c }`. */
export function braces(document: Document, nodes: readonly Node[]): string {
  return `{ ${nodes.map((node) => document.textOf(node)).join(', ')} }`;
}

/** A range around a node, or the node with its comma only if there are comments in the range. */
function withoutComments(document: Document, node: Node, range: { start: number; end: number }) {
  const around = document.text.slice(range.start, start(node)) + document.text.slice(end(node), range.end);
  if (/^[\s,]*$/.test(around)) return range;
  const comma = /^\s*,/.exec(document.text.slice(end(node)));
  const own = { start: start(node), end: end(node) + (comma?.[0].length ?? 0) };
  const isAlone = document.text.slice(0, own.start).trimEnd().length < lineStart(document, own.start);
  const rest = /^[ \t]*(?:\r?\n)/.exec(document.text.slice(own.end));
  return isAlone && rest ? { start: lineStart(document, own.start), end: own.end + rest[0].length } : own;
}

function lineStart(document: Document, place: number): number {
  return document.text.lastIndexOf('\n', place - 1) + 1;
}
