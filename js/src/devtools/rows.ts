// A list with one row for each record, newest first. Rows stay in place while others come and go, so that the focus and
// open rows survive.

import { h } from './dom.js';

/** The row of a record. `update` shows a changed record. */
export interface Row {
  element: HTMLElement;
  update?: () => void;
}

export class Rows<T extends object> {
  readonly element = h('ol');
  readonly #create: (record: T) => Row;
  readonly #rows = new Map<T, Row>();

  constructor(create: (record: T) => Row) {
    this.#create = create;
  }

  /** Shows the records, which are given oldest first. */
  show(records: readonly T[]): void {
    const wanted = new Set(records);
    for (const [record, { element }] of this.#rows) {
      if (wanted.has(record)) continue;
      element.remove();
      this.#rows.delete(record);
    }
    let next = this.element.firstChild;
    for (const record of [...records].reverse()) {
      let row = this.#rows.get(record);
      if (!row) this.#rows.set(record, (row = this.#create(record)));
      row.update?.();
      if (row.element === next) next = next.nextSibling;
      else this.element.insertBefore(row.element, next);
    }
  }
}

/** Returns a row that opens: a line, and the text below it. */
export function openingRow(line: (Node | string)[], note: Node | string, text: string): HTMLElement {
  const details = h('details', {}, h('summary', {}, ...line));
  // The text is created when the row is opened for the first time.
  const open = () => details.append(h('p', {}, note), h('pre', {}, text));
  details.addEventListener('toggle', open, { once: true });
  return h('li', {}, details);
}
