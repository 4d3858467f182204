// Keeps the order of publications: the core receives the messages of one channel in the order of the app's calls, however
// long the token of each call takes.

import { slowFunction, type Wait } from './wait.js';

export class PublishOrder {
  /** Per channel: resolves when the core has received, or never will, every earlier message. */
  readonly #tails = new Map<string, Promise<void>>();

  /**
   * Runs `handOver` after those of the earlier calls for the same channel. `channel` names the channel, as far as the call
   * does. A call whose wait ends before its turn hands nothing over.
   */
  run<T>(channel: string, wait: Wait, handOver: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(channel) ?? Promise.resolve();
    const slow = () => slowFunction('The token function of an earlier publication to the channel');
    const own = wait.for(before, slow).then(handOver);
    const tail = before
      .then(() => own)
      .then(
        () => {},
        () => {},
      );
    this.#tails.set(channel, tail);
    void tail.then(() => this.#tails.get(channel) === tail && this.#tails.delete(channel));
    return own;
  }
}
