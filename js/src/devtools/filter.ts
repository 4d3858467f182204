// The filter of the messages.

/** The texts to find, without regard to case; an empty text finds everything. */
export interface Filter {
  channel: string;
  event: string;
  text: string;
}

export function matches(filter: Filter, { channel, event, text }: Filter): boolean {
  return contains(channel, filter.channel) && contains(event, filter.event) && contains(text, filter.text);
}

function contains(text: string, part: string): boolean {
  return text.toLowerCase().includes(part.toLowerCase());
}
