// Creates and finds elements of the console, and writes numbers and times as text.

/**
 * Creates an element. Text is always set as text, never as markup.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string>} [attributes]
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function byId(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`The page has no ${type.name} #${id}.`);
  return found;
}

/**
 * Creates a list of names and values.
 * @param {(readonly [name: string, value: string])[]} pairs
 */
export function facts(pairs) {
  const rows = pairs.map(([name, value]) =>
    element('div', {}, element('dt', {}, name), element('dd', {}, value)),
  );
  return element('dl', {}, ...rows);
}

/** @typedef {{ title: string, class?: string }} Column */

/**
 * Creates a table whose first column names the row, or a paragraph if there are no rows.
 * @param {{ caption: string, columns: Column[], empty: string }} description
 * @param {string[][]} rows
 */
export function table({ caption, columns, empty }, rows) {
  if (rows.length === 0) return element('p', {}, empty);
  const head = columns.map(({ title, class: name = '' }) =>
    element('th', { scope: 'col', class: name }, title),
  );
  const body = rows.map((cells) => {
    const made = cells.map((text, index) => {
      const attributes = { class: columns.at(index)?.class ?? '' };
      return index === 0
        ? element('th', { scope: 'row', ...attributes }, text)
        : element('td', attributes, text);
    });
    return element('tr', {}, ...made);
  });
  return element(
    'table',
    {},
    element('caption', { class: 'hidden' }, caption),
    element('thead', {}, element('tr', {}, ...head)),
    element('tbody', {}, ...body),
  );
}

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

/** @param {number} value */
export const number = (value) => (value < 100 ? short : whole).format(value);

/** @param {number} bytes */
export function size(bytes) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1);
  return `${short.format(bytes / 1024 ** power)} ${units.at(power) ?? ''}`;
}

/** @param {number} seconds */
export function duration(seconds) {
  if (seconds < 120) return `${whole.format(seconds)} s`;
  if (seconds < 7200) return `${whole.format(seconds / 60)} min`;
  return seconds < 172_800 ? `${whole.format(seconds / 3600)} h` : `${whole.format(seconds / 86_400)} days`;
}

/** @param {number} millis a time since 1970 */
export const time = (millis) => new Date(millis).toISOString().slice(11, 19);
