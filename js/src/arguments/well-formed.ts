// Checks that text is well-formed Unicode. UTF-8 cannot carry half of a surrogate pair: encoders put U+FFFD in its place,
// so that different names would become one name.

const LONE_SURROGATE = /\p{Surrogate}/u;

export function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}

/** The end of a sentence that begins with the name of the argument. */
export const ILL_FORMED = 'is not well-formed Unicode: it holds half of a surrogate pair.';
