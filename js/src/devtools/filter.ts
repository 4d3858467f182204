// The filter of the messages.

/** The texts to find, without regard to case; an empty text finds everything. */
export interface Filter {
  channel: string;
  event: string;
  text: string;
}

export function matches(filter: Filter, record: Filter): boolean {
  return (['channel', 'event', 'text'] as const).every((part) =>
    record[part].toLowerCase().includes(filter[part].toLowerCase()),
  );
}
