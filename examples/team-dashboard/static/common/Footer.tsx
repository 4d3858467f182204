// Shows that changes are encrypted, and the state of the connection.
import { realtime, useConnectionState } from './realtime';

const STATES = {
  idle: 'Not connected',
  connecting: 'Connecting…',
  connected: 'Live',
  reconnecting: 'Reconnecting…',
  suspended: 'Paused',
  closed: 'Not connected',
};

export function Footer() {
  const state = useConnectionState();
  return (
    // `data-core` is the running build of Sealwire's core: 'js' on a Forge page, or 'wasm' if the app chose it.
    <footer className="footer" data-state={state} data-core={realtime.core}>
      <span>
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M5 7V5a3 3 0 0 1 6 0v2M4 7h8v6H4z" />
        </svg>
        End-to-end encrypted
      </span>
      <span className={`state ${state}`}>{STATES[state]}</span>
    </footer>
  );
}
