// Checks properties that an app states itself: their names, values and number.

import { invalid, kindOf } from './invalid.js';
import { byteLength } from './names.js';
import { isPropertyName } from './property-name.js';
import { ILL_FORMED, isWellFormed } from './well-formed.js';

/** The maximum number of properties of a session's context and of a scope. */
export const MAX_PROPERTIES = 8;
/** The maximum length of a property's value. */
export const MAX_VALUE_BYTES = 256;

function checkValue(what: string, name: string, value: unknown): string {
  if (typeof value !== 'string') {
    throw invalid(`${what}: the value of '${name}' must be a string, not ${kindOf(value)}.`);
  }
  if (!isWellFormed(value)) throw invalid(`${what}: the value of '${name}' ${ILL_FORMED}`);
  const bytes = byteLength(value);
  if (bytes === 0 || bytes > MAX_VALUE_BYTES) {
    throw invalid(`${what}: the value of '${name}' must have 1 to ${MAX_VALUE_BYTES} bytes, not ${bytes}.`);
  }
  return value;
}

/** Checks properties. `what` begins each error: it names the option or function that the properties come from. */
export function checkProperties(what: string, given: unknown): Map<string, string> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw invalid(`${what} must be an object such as { issue: '10001' }, not ${kindOf(given)}.`);
  }
  const properties = new Map<string, string>();
  for (const [name, value] of Object.entries(given)) {
    if (!isPropertyName(name)) {
      throw invalid(
        `${what}: a property's name has 1 to 64 of A-Z a-z 0-9 _ -, unlike ${JSON.stringify(name)}.`,
      );
    }
    // A program that keeps properties in an object would find the inherited value under such a name.
    if (name in Object.prototype)
      throw invalid(`${what}: '${name}' is a name that every object has. Choose another.`);
    properties.set(name, checkValue(what, name, value));
  }
  if (properties.size > MAX_PROPERTIES) {
    throw invalid(`${what} has ${properties.size} properties; the limit is ${MAX_PROPERTIES}.`);
  }
  return properties;
}
