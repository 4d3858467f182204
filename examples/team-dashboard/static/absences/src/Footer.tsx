// Says how changes travel, and whether they do at this moment.
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
    // The build of Sealwire's core that runs: 'js' on a page of Forge, or 'wasm' if the app asks for it.
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
