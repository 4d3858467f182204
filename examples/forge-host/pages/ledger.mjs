// Counts the events of all people from their contents: each event has its publisher and a sequence, so a missing, repeated or
// reordered one shows without any word of the SDK.

/**
 * A report of a counter page. `sent` precedes `accepted` or `refused`; `gap` and `failed` are the SDK's own words.
 * @typedef {{ type: 'ready' }
 *   | { type: 'sent' | 'accepted', sequence: number }
 *   | { type: 'refused', sequence: number, reason: string }
 *   | { type: 'received', publisher: string, sequence: number }
 *   | { type: 'gap' | 'failed', reason: string }} Report
 */

/**
 * @typedef {object} Counts
 * @property {number} unanswered own events without an answer of a relay
 * @property {number} refused own events that a relay refused
 * @property {number} published events of everybody on the same dashboard, that a relay accepted or somebody received
 * @property {number} received different events
 * @property {number} underway published events that may still arrive: nothing later of the same publisher has
 * @property {number} missed published events that did not arrive before a later one of the same publisher
 * @property {number} repeated arrivals of events that had arrived before
 * @property {number} reordered first arrivals after a later event of the same publisher
 * @property {number} strayed events of another dashboard that arrived here
 * @property {number} gaps gaps that the SDK reported
 * @property {number} failed other errors that the SDK reported
 */

/** The events of one publisher, as one person receives them. */
class Stream {
  received = new Set();
  /** Published events that have not arrived. */
  outstanding = new Set();
  highest = 0;
  repeated = 0;
  reordered = 0;

  /** @param {number} sequence */
  publish(sequence) {
    if (!this.received.has(sequence)) this.outstanding.add(sequence);
  }

  /** @param {number} sequence */
  receive(sequence) {
    if (this.received.has(sequence)) return void (this.repeated += 1);
    if (sequence < this.highest) this.reordered += 1;
    this.received.add(sequence);
    this.outstanding.delete(sequence);
    this.highest = Math.max(this.highest, sequence);
  }

  get missed() {
    return [...this.outstanding].filter((sequence) => sequence < this.highest).length;
  }
}

/** A person with their own events, and the streams that they receive. */
class Person {
  published = new Set();
  unanswered = new Set();
  refused = 0;
  strayed = 0;
  gaps = 0;
  failed = 0;
  /** @type {Map<string, Stream>} by publisher */
  streams = new Map();
}

export class Ledger {
  /** @type {Map<string, Person>} by publisher */
  #people = new Map();

  /** @param {{ publisher: string, dashboard: string }[]} people those on one dashboard receive each other's events */
  constructor(people) {
    for (const { publisher, dashboard } of people) {
      const person = new Person();
      for (const other of people) {
        if (other.dashboard === dashboard) person.streams.set(other.publisher, new Stream());
      }
      this.#people.set(publisher, person);
    }
  }

  /**
   * @param {string} publisher the person who reports
   * @param {Report} report
   */
  add(publisher, report) {
    const person = this.#people.get(publisher);
    if (!person) return;
    switch (report.type) {
      case 'sent':
        return void person.unanswered.add(report.sequence);
      case 'accepted':
        person.unanswered.delete(report.sequence);
        return this.#published(publisher, report.sequence);
      case 'refused':
        person.unanswered.delete(report.sequence);
        return void (person.refused += 1);
      case 'received':
        return this.#received(person, report);
      case 'gap':
        return void (person.gaps += 1);
      case 'failed':
        return void (person.failed += 1);
    }
  }

  /**
   * @param {string} publisher
   * @returns {Counts}
   */
  counts(publisher) {
    const person = this.#people.get(publisher) ?? new Person();
    const streams = [...person.streams.values()];
    const sum = (/** @type {(stream: Stream) => number} */ count) =>
      streams.reduce((total, stream) => total + count(stream), 0);
    const missed = sum((stream) => stream.missed);
    const received = sum((stream) => stream.received.size);
    const outstanding = sum((stream) => stream.outstanding.size);
    return {
      unanswered: person.unanswered.size,
      refused: person.refused,
      published: received + outstanding,
      received,
      underway: outstanding - missed,
      missed,
      repeated: sum((stream) => stream.repeated),
      reordered: sum((stream) => stream.reordered),
      strayed: person.strayed,
      gaps: person.gaps,
      failed: person.failed,
    };
  }

  /**
   * @param {Person} person
   * @param {{ publisher: string, sequence: number }} event
   */
  #received(person, { publisher, sequence }) {
    // The same people in another window of the browser publish under other names.
    if (!this.#people.has(publisher)) return;
    this.#published(publisher, sequence);
    const stream = person.streams.get(publisher);
    if (stream) stream.receive(sequence);
    else person.strayed += 1;
  }

  /**
   * Records that an event exists, for everybody who is to receive it.
   * @param {string} publisher
   * @param {number} sequence
   */
  #published(publisher, sequence) {
    const person = this.#people.get(publisher);
    if (!person || person.published.has(sequence)) return;
    person.published.add(sequence);
    for (const { streams } of this.#people.values()) streams.get(publisher)?.publish(sequence);
  }
}
