// The texts of the panel: payloads, scopes, positions and times.

import type { ChannelSpec } from '../core/browser-core.js';

/** The maximum number of characters of a payload that the panel keeps and shows. */
export const MAX_PAYLOAD = 4_000;
const MAX_PREVIEW = 120;

/** Returns a payload with indentation. `json` is its JSON, or the first MAX_PAYLOAD of its `length` characters. */
export function prettyPayload(json: string, length: number): string {
  if (json.length < length) return `${json}\n… the first ${json.length} of ${length} characters`;
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    // The sentence of an error is no JSON.
    return json;
  }
}

/** Returns the beginning of a payload, on one line. */
export function preview(json: string): string {
  return json.length > MAX_PREVIEW ? `${json.slice(0, MAX_PREVIEW)}…` : json;
}

/** Names the scope of a channel, with the values that the session's context has for it. */
export function scopeText({ scope }: ChannelSpec, context: Record<string, string> = {}): string {
  if (!scope) return `default: ${valuesText(Object.keys(context), context) || 'known with the session'}`;
  return valuesText(scope, context) || 'global';
}

/** Lists properties with their values. */
export function valuesText(names: string[], context: Record<string, string>): string {
  const values = new Map(Object.entries(context));
  return names.map((name) => `${name} = ${values.get(name) ?? '?'}`).join(', ');
}

/** Splits the id of a message into the parts of its position. */
export function positionOf(eventId: string): { epoch: string; offset: string } {
  const [epoch = '', offset = ''] = eventId.split('-');
  return { epoch, offset };
}

/** Returns a time of day with milliseconds. */
export function timeText(unixMs: number): string {
  const date = new Date(unixMs);
  const pad = (value: number, digits: number) => String(value).padStart(digits, '0');
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()].map((value) => pad(value, 2));
  return `${parts.join(':')}.${pad(date.getMilliseconds(), 3)}`;
}

/** Returns a number with the noun in its singular or plural. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
