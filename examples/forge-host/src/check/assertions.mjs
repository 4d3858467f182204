// Counts what holds. A failed assertion is printed and does not stop the others.

export class Assertions {
  passed = 0;
  failed = 0;

  /**
   * @param {string} sentence what is claimed
   * @param {() => unknown} proof throws, or resolves with false, where it does not hold
   */
  async claim(sentence, proof) {
    try {
      if ((await proof()) === false) throw new Error('It does not hold.');
      this.passed += 1;
      console.log(`ok    ${sentence}`);
    } catch (error) {
      this.failed += 1;
      const message = error instanceof Error ? error.message : String(error);
      console.log(`FAIL  ${sentence}\n      ${message.replaceAll('\n', '\n      ')}`);
    }
  }

  summary() {
    return `${this.passed} passed, ${this.failed} failed`;
  }
}

/**
 * @param {unknown} actual
 * @param {unknown} expected
 */
export function same(actual, expected) {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`Expected ${b}, got ${a}.`);
}
