// A user's gadget, used through its visible controls.

const TIMEOUT_MS = 10_000;

export class Gadget {
  #frame;

  /**
   * @param {import('playwright-core').Page} page
   * @param {string} member
   */
  constructor(page, member) {
    this.#frame = page.frameLocator(`#frame-${member}`);
  }

  /** Waits until the list is loaded and the gadget is connected. */
  async ready() {
    await this.#frame.locator('[data-ready]').waitFor({ timeout: TIMEOUT_MS });
    await this.#frame.locator('footer[data-state="connected"][data-core]').waitFor({ timeout: TIMEOUT_MS });
  }

  /** Returns the running build of the core: 'wasm' or 'js'. */
  core() {
    return this.#frame.locator('footer').getAttribute('data-core');
  }

  /**
   * Fills in the form without submitting it.
   * @param {{ kind: string, from: number, to: number, note: string }} absence `from` and `to` in days from today
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
    await this.#frame.getByRole('button', { name: 'Add absence' }).waitFor({ timeout: TIMEOUT_MS });
  }

  async removeOwn() {
    await this.#frame
      .getByRole('button', { name: /^Remove your absence/ })
      .first()
      .click();
  }

  /** @param {string} text */
  async shows(text) {
    await this.#absence(text).waitFor({ timeout: TIMEOUT_MS });
  }

  /** @param {string} text */
  async hides(text) {
    await this.#absence(text).waitFor({ state: 'detached', timeout: TIMEOUT_MS });
  }

  /** @param {string} text */
  async lacks(text) {
    return (await this.#absence(text).count()) === 0;
  }

  /** @param {string} text */
  async hints(text) {
    await this.#frame.getByTestId('hint').getByText(text).waitFor({ timeout: TIMEOUT_MS });
  }

  async hint() {
    return (await this.#frame.getByTestId('hint').allTextContents()).join('');
  }

  /** Sets a mark that a reload would remove. */
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
