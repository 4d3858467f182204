// Converts JSON to base64 and back, without TextEncoder and TextDecoder, which Jest's jsdom environment lacks.

/** Returns JSON text in ASCII. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

export function toBase64(value: unknown): string {
  return btoa(asciiJson(value));
}

export function fromBase64(text: string): unknown {
  return JSON.parse(atob(text));
}

export function toBase64Url(value: unknown): string {
  return toBase64(value).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

export function fromBase64Url(text: string): unknown {
  return fromBase64(text.replace(/-/g, '+').replace(/_/g, '/'));
}
