// The panel subscribes when it mounts, publishes by a button, and unsubscribes when it unmounts.
import * as bridge from '@forge/bridge';
import { useEffect, useState } from 'react';

import { fetchToken, subscribeToAll } from './channels';

export function Panel() {
  const [last, setLast] = useState('');
  useEffect(() => {
    const subscribing = fetchToken().then((token) => subscribeToAll((from) => setLast(from), token));
    return () => void subscribing.then((unsubscribe) => unsubscribe());
  }, []);
  const say = () => bridge.realtime.publish('my-channel', 'Here is an event payload!');
  return (
    <button onClick={say} title={last} onDoubleClick={() => bridge.view.refresh()}>
      Publish event
    </button>
  );
}
