// Checks the id of a text stream.

import { invalid } from '../arguments/invalid.js';

const MAX_LENGTH = 100;

export function checkStreamId(id: unknown): string | undefined {
  if (id === undefined) return undefined;
  if (typeof id === 'string' && id !== '' && id.length <= MAX_LENGTH) return id;
  throw invalid(`The option id must be a string of 1 to ${MAX_LENGTH} characters.`);
}
