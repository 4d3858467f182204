// The votes that a page knows. Adding a vote twice or late changes nothing, so the order of loading and receiving is free.

/** @typedef {import('../../src/votes.js').Vote} Vote */

export class Tally {
  /** @type {Map<string, Vote>} the latest vote of each ballot */
  #votes = new Map();

  /** @param {Vote} vote */
  add(vote) {
    const known = this.#votes.get(vote.ballot);
    if (!known || known.at <= vote.at) this.#votes.set(vote.ballot, vote);
  }

  /** @param {string} option */
  count(option) {
    return [...this.#votes.values()].filter((vote) => vote.option === option).length;
  }

  /** @param {string | undefined} ballot */
  optionOf(ballot) {
    return ballot === undefined ? undefined : this.#votes.get(ballot)?.option;
  }
}
