// The section of the cluster on the host page, used through its visible controls.

const TIMEOUT_MS = 30_000;
const LAST_EVENTS_MS = 500;

/** @typedef {'published' | 'received' | 'underway' | 'missed' | 'repeated' | 'reordered' | 'unanswered' | 'gaps'} Count */

export class ClusterPage {
  #page;

  /** @param {import('playwright-core').Page} page */
  constructor(page) {
    this.#page = page;
  }

  /**
   * Kills a process, and waits until the page says so.
   * @param {string} id
   */
  async kill(id) {
    await this.#process(id).getByRole('button', { name: /^Kill/ }).click();
    await this.#whenProcess(id, 'killed');
  }

  /**
   * Starts a process, and waits until it is ready.
   * @param {string} id
   */
  async start(id) {
    await this.startOnly(id);
    await this.whenReady(id);
  }

  /**
   * Starts a process.
   * @param {string} id
   */
  startOnly(id) {
    return this.#process(id)
      .getByRole('button', { name: /^Start/ })
      .click();
  }

  /**
   * Waits until a process is ready.
   * @param {string} id
   */
  whenReady(id) {
    return this.#whenProcess(id, 'ready');
  }

  /** Waits until every process is ready. */
  async whenAllReady() {
    await this.#page
      .locator('#processes:not(:has([data-state="killed"], [data-state="waiting"]))')
      .waitFor({ timeout: TIMEOUT_MS });
  }

  /** Returns the NATS servers, the one that leads most streams first. */
  async serversByStreams() {
    const servers = await this.#page.locator('[data-kind="nats"]').all();
    const found = await Promise.all(
      servers.map(async (server) => ({
        id: (await server.getAttribute('data-process')) ?? '',
        leads: Number(/leads (\d+)/.exec(await server.innerText())?.[1] ?? 0),
      })),
    );
    return found.sort((a, b) => b.leads - a.leads);
  }

  /**
   * Waits until all connections of a person are at one relay.
   * @param {string} person
   * @param {string} relay
   */
  async whenAt(person, relay) {
    await this.#person(person).locator(`[data-relays="${relay}"]`).waitFor({ timeout: TIMEOUT_MS });
  }

  /**
   * @param {string} person
   * @param {Count} name
   */
  async count(person, name) {
    return toNumber(await this.#person(person).locator(`[data-count="${name}"]`).innerText());
  }

  /**
   * Waits until a count is at least so high.
   * @param {string} person
   * @param {Count} name
   * @param {number} least
   */
  async whenAtLeast(person, name, least) {
    await this.#page.waitForFunction(
      ([id, count, wanted]) => {
        const cell = document.querySelector(`[data-person="${id}"] [data-count="${count}"]`);
        return Number(cell?.textContent?.replaceAll(',', '')) >= Number(wanted);
      },
      /** @type {const} */ ([person, name, least]),
      { timeout: TIMEOUT_MS },
    );
  }

  /**
   * Waits until every person has received some events more.
   * @param {string[]} people
   * @param {number} more
   */
  async goesOn(people, more = 6) {
    const grows = async (/** @type {string} */ person) =>
      this.whenAtLeast(person, 'received', (await this.count(person, 'received')) + more);
    await Promise.all(people.map(grows));
  }

  /** Stops publishing, and waits until every event has been answered and nothing is on the way. */
  async settle() {
    await this.#page.getByRole('button', { name: 'Stop publishing' }).click();
    // The last events appear in the table after the click.
    await new Promise((resolve) => setTimeout(resolve, LAST_EVENTS_MS));
    await this.#page.waitForFunction(
      () =>
        [...document.querySelectorAll('[data-count="unanswered"], [data-count="underway"]')].every(
          ({ textContent }) => textContent === '0',
        ),
      undefined,
      { timeout: TIMEOUT_MS },
    );
  }

  publish() {
    return this.#page.getByRole('button', { name: 'Start publishing' }).click();
  }

  /**
   * Returns the numbers of subscriptions that a person resumed, and of those that the relay called complete.
   * @param {string} person
   */
  async resumed(person) {
    const text = await this.#person(person).locator('[data-resumed]').innerText();
    const [complete, all] = text.split(' of ').map(toNumber);
    return { complete, all };
  }

  verdict() {
    return this.#page.locator('#verdict').innerText();
  }

  /** @param {string} text */
  async whenVerdict(text) {
    await this.#page.locator('#verdict').getByText(text).waitFor({ timeout: TIMEOUT_MS });
  }

  /** @param {string} id */
  #process(id) {
    return this.#page.locator(`[data-process="${id}"]`);
  }

  /** @param {string} id */
  #person(id) {
    return this.#page.locator(`[data-person="${id}"]`);
  }

  /**
   * @param {string} id
   * @param {string} state
   */
  async #whenProcess(id, state) {
    await this.#page
      .locator(`[data-process="${id}"][data-state="${state}"]`)
      .waitFor({ timeout: TIMEOUT_MS });
  }
}

/** @param {string} text */
const toNumber = (text) => Number(text.replaceAll(',', ''));
