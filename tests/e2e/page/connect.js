// The connection of the pages under test, which fetch their sessions from the site instead of @forge/bridge.
import { createRealtime } from 'sealwire';

const user = new URLSearchParams(location.search);

globalThis.sessions = 0;

export function start(options = {}) {
  globalThis.realtime = createRealtime({
    session: async (request) => {
      const response = await fetch('/session', {
        method: 'POST',
        body: JSON.stringify({
          user: user.get('user'),
          dashboard: user.get('dashboard'),
          gadget: user.get('gadget') ?? undefined,
          ...request,
        }),
      });
      if (!response.ok) throw new Error(await response.text());
      globalThis.sessions += 1;
      return response.json();
    },
    ...options,
  });
}
