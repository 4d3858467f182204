// The queue of Forge's async events, as `@forge/events` calls it. A test delivers its events to the app's consumer.
import { randomUUID } from 'node:crypto';

/** @typedef {{ body: any, queueName: string, jobId: string, eventId: string }} QueuedEvent */

export class Queue {
  /** @type {QueuedEvent[]} */
  #waiting = [];

  /**
   * @param {string} path
   * @param {{ queueName: string, jobId: string, payload: { body: any }[] }} request
   */
  answer(path, { queueName, jobId, payload }) {
    if (!path.startsWith('/webhook/queue/publish/')) {
      throw new Error(`The test platform has no answer for ${path}.`);
    }
    for (const event of payload) this.#waiting.push({ ...event, queueName, jobId, eventId: randomUUID() });
    return new Response(null, { status: 201 });
  }

  /** Takes the event that waits longest. Throws if there is none. */
  take() {
    const event = this.#waiting.shift();
    if (!event) throw new Error('No event waits in the queue.');
    return event;
  }
}
