// One member's gadget, driven as a person would.

const WAIT_MS = 10_000;

export class Gadget {
  #frame;

  /**
   * @param {import('playwright-core').Page} page
   * @param {string} member
   */
  constructor(page, member) {
    this.#frame = page.frameLocator(`#frame-${member}`);
  }

  /** Resolves once the list is loaded and the connection stands. */
  async ready() {
    await this.#frame.locator('[data-ready]').waitFor({ timeout: WAIT_MS });
    await this.#frame.locator('footer[data-state="connected"][data-core]').waitFor({ timeout: WAIT_MS });
  }

  /** Which build of the core runs: 'wasm' or 'js'. */
  core() {
    return this.#frame.locator('footer').getAttribute('data-core');
  }

  /**
   * Fills in the form, without sending it.
   * @param {{ kind: string, from: number, to: number, note: string }} absence first and last day counted from today
   */
  async write({ kind, from, to, note }) {
    await this.#frame.getByRole('button', { name: 'Add absence' }).click();
    await this.#frame.locator('form').getByText(kind, { exact: true }).click();
    await this.#frame.getByLabel('First day').fill(dayFromToday(from));
    await this.#frame.getByLabel('Last day').fill(dayFromToday(to));
    await this.#frame.getByLabel('Note').pressSequentially(note);
  }

  async send() {
    await this.#frame.getByRole('button', { name: 'Add', exact: true }).click();
    await this.#frame.getByRole('button', { name: 'Add absence' }).waitFor({ timeout: WAIT_MS });
  }

  async removeOwn() {
    await this.#frame
      .getByRole('button', { name: /^Remove your absence/ })
      .first()
      .click();
  }

  /** @param {string} text */
  async shows(text) {
    await this.#absence(text).waitFor({ timeout: WAIT_MS });
  }

  /** @param {string} text */
  async hides(text) {
    await this.#absence(text).waitFor({ state: 'detached', timeout: WAIT_MS });
  }

  /** @param {string} text */
  async lacks(text) {
    return (await this.#absence(text).count()) === 0;
  }

  /** @param {string} text */
  async hints(text) {
    await this.#frame.getByTestId('hint').getByText(text).waitFor({ timeout: WAIT_MS });
  }

  async hint() {
    return (await this.#frame.getByTestId('hint').allTextContents()).join('');
  }

  /** Leaves a mark that a reload would wipe out. */
  async mark() {
    await this.#frame.locator('html').evaluate((root) => root.setAttribute('data-mark', 'same document'));
  }

  async isMarked() {
    return (await this.#frame.locator('html').getAttribute('data-mark')) === 'same document';
  }

  /** @param {string} text */
  #absence(text) {
    return this.#frame.getByTestId('absence').filter({ hasText: text });
  }
}

/** @param {number} days */
const dayFromToday = (days) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
