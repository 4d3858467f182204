// A user's gadget, used through its visible controls.

export const TIMEOUT_MS = 10_000;

export class Gadget {
  /** @protected */
  frame;

  /**
   * @param {import('playwright-core').Page} page
   * @param {string} member
   * @param {string} key the key of the gadget's module
   */
  constructor(page, member, key) {
    this.frame = page.frameLocator(`#frame-${member}-${key}`);
  }

  /** Waits until the gadget has loaded its state and is connected. */
  async ready() {
    await this.frame.locator('[data-ready]').waitFor({ timeout: TIMEOUT_MS });
    await this.frame.locator('footer[data-state="connected"][data-core]').waitFor({ timeout: TIMEOUT_MS });
  }

  /** Returns the running build of the core: 'wasm' or 'js'. */
  core() {
    return this.frame.locator('footer').getAttribute('data-core');
  }

  /** Sets a mark that a reload would remove. */
  async mark() {
    await this.frame.locator('html').evaluate((root) => root.setAttribute('data-mark', 'same document'));
  }

  async isMarked() {
    return (await this.frame.locator('html').getAttribute('data-mark')) === 'same document';
  }
}
