// Counts and prints assertions. A failed assertion does not stop the others.

export class Assertions {
  passed = 0;
  failed = 0;

  /**
   * @param {string} sentence the claim
   * @param {() => unknown} proof throws or resolves to false if the claim is false
   */
  async claim(sentence, proof) {
    try {
      if ((await proof()) === false) throw new Error('The claim is false.');
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
