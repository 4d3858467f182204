// Checks the form of a property's name.

const NAME = /^[A-Za-z0-9_-]{1,64}$/;

export function isPropertyName(name: unknown): name is string {
  return typeof name === 'string' && NAME.test(name);
}
