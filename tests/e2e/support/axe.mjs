// Runs axe-core in a page.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/**
 * Returns the violations that axe-core finds in a page, or in the elements of a selector. The script is evaluated by the browser's debugger, which the page's
 * policy does not restrict.
 * @param {import('playwright-core').Page} page
 * @param {string} [selector]
 */
export async function violationsIn(page, selector) {
  await page.evaluate(source);
  const { violations } = await page.evaluate((within) => globalThis.axe.run(within ?? document), selector);
  return violations;
}

/** Fails if axe finds something serious in a page or in the elements of a selector, and prints what it is. */
export async function assertAccessible(page, selector) {
  const violations = await violationsIn(page, selector);
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  assert.deepEqual(
    serious.map(({ id, nodes }) => [id, nodes.map(({ html, failureSummary }) => [html, failureSummary])]),
    [],
  );
}
