// A user's gadget of the rotation.
import { Gadget, TIMEOUT_MS } from './gadget.mjs';

export class RotationGadget extends Gadget {
  /**
   * @param {import('playwright-core').Page} page
   * @param {string} member
   */
  constructor(page, member) {
    super(page, member, 'rotation');
  }

  async join() {
    await this.#press('Join');
    await this.frame.getByTestId('on-duty').waitFor({ timeout: TIMEOUT_MS });
  }

  async takeOver() {
    await this.#press('I take over');
  }

  /** Swaps the user's next day for the first day that a colleague has. */
  async swapFirst() {
    await this.frame.getByTestId('day').getByRole('button', { name: /^Swap/ }).first().click();
    await this.#press('Swap');
  }

  /**
   * Waits until the gadget shows the person on duty.
   * @param {string} name
   * @param {string} [reason] the text below the name
   */
  async showsOnDuty(name, reason) {
    const duty = this.frame.getByTestId('on-duty').filter({ hasText: name });
    await duty.waitFor({ timeout: TIMEOUT_MS });
    if (reason) await duty.getByText(reason).waitFor({ timeout: TIMEOUT_MS });
  }

  /** @param {string} name */
  async showsNext(name) {
    await this.frame.getByTestId('next').filter({ hasText: name }).waitFor({ timeout: TIMEOUT_MS });
  }

  /** @param {string} text */
  async logs(text) {
    await this.frame.getByTestId('log').filter({ hasText: text }).first().waitFor({ timeout: TIMEOUT_MS });
  }

  /** Waits until the gadget says that nobody has joined. */
  async isEmpty() {
    await this.frame.getByText('Nobody is in the rotation yet').waitFor({ timeout: TIMEOUT_MS });
  }

  /** Waits until the gadget shows this version of the rotation. @param {number} version */
  async showsVersion(version) {
    await this.frame.locator(`[data-version="${version}"]`).waitFor({ timeout: TIMEOUT_MS });
  }

  /** Returns the text of the duty, the plan and the log. */
  async content() {
    return (await this.frame.locator('section').allInnerTexts()).join('\n');
  }

  /** @param {string} name */
  async #press(name) {
    await this.frame.getByRole('button', { name, exact: true }).click();
  }
}
