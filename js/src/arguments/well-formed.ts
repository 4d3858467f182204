// Checks that text is well-formed Unicode. UTF-8 cannot carry half of a surrogate pair: encoders replace it with U+FFFD, so
// different names would become the same name.

const LONE_SURROGATE = /\p{Surrogate}/u;

export function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}

/** The end of an error's sentence, which begins with the name of the argument. */
export const ILL_FORMED = 'is not well-formed Unicode: it contains half of a surrogate pair.';
