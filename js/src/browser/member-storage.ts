// Keeps the id of the page's member while the page is reloaded, so that it stays the same member for the others. A page takes
// the id out of the storage when it opens the presence and puts it back when the browser unloads it: a tab that is duplicated
// in between, together with its storage, finds none.

/** The id of a member, and the time at which it entered. */
export interface FormerMember {
  id?: string;
  enteredAt?: number;
}

/** The members by their channel. */
type Stored = Map<string, FormerMember[]>;

const KEY = 'sealwire:members';

/** Changes the stored members. A page that may not store anything becomes a new member when it is reloaded. */
function change(apply: (stored: Stored) => unknown): void {
  try {
    const stored: Stored = new Map(JSON.parse(sessionStorage.getItem(KEY) ?? '[]'));
    apply(stored);
    sessionStorage.setItem(KEY, JSON.stringify([...stored]));
  } catch {
    // The storage is blocked, full or does not exist.
  }
}

/** Takes a member of this channel that an earlier load of the page has left. */
export function takeMember(channel: string): FormerMember {
  let member: FormerMember | undefined;
  change((stored) => {
    const members = stored.get(channel) ?? [];
    member = members.pop();
    if (members.length === 0) stored.delete(channel);
  });
  return member ?? {};
}

/** Keeps the page's member of this channel for the next load. Returns a function that stops it. */
export function keepMember(channel: string, own: () => FormerMember | undefined): () => void {
  if (typeof window === 'undefined') return () => {};
  const controller = new AbortController();
  const { signal } = controller;
  const keep = () => {
    const member = own();
    if (member) change((stored) => stored.set(channel, [...(stored.get(channel) ?? []), member]));
  };
  window.addEventListener('pagehide', keep, { signal });
  // The browser restores a page from its back/forward cache.
  window.addEventListener('pageshow', (event) => event.persisted && takeMember(channel), { signal });
  return () => controller.abort();
}
