// A user's gadget of absences.
import { dayFromToday } from './days.mjs';
import { Gadget, TIMEOUT_MS } from './gadget.mjs';

export class AbsencesGadget extends Gadget {
  /**
   * @param {import('playwright-core').Page} page
   * @param {string} member
   */
  constructor(page, member) {
    super(page, member, 'absences');
  }

  /**
   * Fills in the form without submitting it.
   * @param {{ kind: string, from: number, to: number, note: string }} absence `from` and `to` in days from today
   */
  async write({ kind, from, to, note }) {
    await this.frame.getByRole('button', { name: 'Add absence' }).click();
    await this.frame.locator('form').getByText(kind, { exact: true }).click();
    await this.frame.getByLabel('First day').fill(dayFromToday(from));
    await this.frame.getByLabel('Last day').fill(dayFromToday(to));
    await this.frame.getByLabel('Note').pressSequentially(note);
  }

  async send() {
    await this.frame.getByRole('button', { name: 'Add', exact: true }).click();
    await this.frame.getByRole('button', { name: 'Add absence' }).waitFor({ timeout: TIMEOUT_MS });
  }

  async removeOwn() {
    await this.frame
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
    await this.frame.getByTestId('hint').getByText(text).waitFor({ timeout: TIMEOUT_MS });
  }

  /**
   * Waits until the gadget shows the avatars of exactly these people.
   * @param {string[]} names
   */
  async showsLookers(...names) {
    const lookers = this.frame.getByTestId('lookers');
    for (const name of names) await lookers.getByTitle(name).waitFor({ timeout: TIMEOUT_MS });
    const more = lookers.getByRole('listitem').nth(names.length);
    await more.waitFor({ state: 'detached', timeout: TIMEOUT_MS });
  }

  async hint() {
    return (await this.frame.getByTestId('hint').allTextContents()).join('');
  }

  /**
   * Waits until an absence names the person who has the duty instead.
   * @param {string} text
   * @param {string} duty
   */
  async showsStandIn(text, duty) {
    await this.#absence(text).getByTestId('stand-in').getByText(duty).waitFor({ timeout: TIMEOUT_MS });
  }

  /** @param {string} text */
  #absence(text) {
    return this.frame.getByTestId('absence').filter({ hasText: text });
  }
}
