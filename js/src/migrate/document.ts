// The text of one file, the replacements that are planned in it, and the findings about it.

import type { Rule } from './rules.js';
import type { Node } from './syntax.js';

/** A place at which a person has something to decide, or that the command cannot change. */
export interface Finding {
  /** The path of the file, relative to the app's folder and with slashes. */
  file: string;
  /** The line, from 1 on; undefined for the file as a whole. */
  line?: number;
  rule: Rule;
  /** A sentence that says what to do. */
  message: string;
}

interface Edit {
  start: number;
  end: number;
  text: string;
}

export class Document {
  readonly findings: Finding[] = [];
  readonly #edits: Edit[] = [];

  constructor(
    readonly name: string,
    readonly text: string,
  ) {}

  /** The text of a node, as it was before the planned replacements. */
  textOf(node: Node): string {
    return this.text.slice(start(node), end(node));
  }

  /** Plans to replace a node, or the range between two places. */
  replace(range: Node | { start: number; end: number }, text: string): void {
    const edit = { start: range.start ?? 0, end: range.end ?? 0, text };
    if (this.#edits.some((other) => isSame(other, edit))) return;
    this.#edits.push(edit);
  }

  /** Plans to insert text behind a node. */
  insertAfter(node: Node, text: string): void {
    this.replace({ start: end(node), end: end(node) }, text);
  }

  /** Notes a finding at the line of a node. */
  report(node: Node, rule: Rule, message: string): void {
    const line = node.loc?.start.line;
    const isKnown = this.findings.some((known) => known.line === line && known.message === message);
    if (!isKnown) this.findings.push({ file: this.name, ...(line !== undefined && { line }), rule, message });
  }

  /** The text with all planned replacements. */
  result(): string {
    let text = this.text;
    const edits = [...this.#edits].sort((a, b) => b.start - a.start || b.end - a.end);
    for (const edit of edits) text = text.slice(0, edit.start) + edit.text + text.slice(edit.end);
    return text;
  }

  /** The line break of the file. */
  get newline(): string {
    return this.text.includes('\r\n') ? '\r\n' : '\n';
  }

  /** The white space before the first character of the line in which a node begins. */
  indentation(node: Node): string {
    const line = this.text.slice(this.text.lastIndexOf('\n', start(node) - 1) + 1, start(node));
    // \s would match a byte order mark.
    return /^[ \t]*/.exec(line)?.[0] ?? '';
  }

  /** A string literal with the same quotes as another one. */
  quoted(value: string, like: Node): string {
    const quote = this.text.charAt(start(like));
    return quote + value + quote;
  }

  /** The end of a statement like this one: a semicolon, or nothing. */
  semicolon(statement: Node): string {
    return this.textOf(statement).endsWith(';') ? ';' : '';
  }
}

export function start(node: Node): number {
  return node.start ?? 0;
}

export function end(node: Node): number {
  return node.end ?? 0;
}

function isSame(a: Edit, b: Edit): boolean {
  return a.start === b.start && a.end === b.end && a.text === b.text;
}
