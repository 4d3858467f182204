// The app's functions. Forge calls `handler`.
import Resolver from '@forge/resolver';
import { createRealtime, verifyIssue } from 'sealwire/resolver';

// verifyIssue asks Jira whether the user may see the issue.
const realtime = createRealtime({ authorize: verifyIssue });
const resolver = new Resolver();

resolver.define('sealwire:session', realtime.session);
resolver.define('addNote', ({ payload }) => realtime.publish('notes', { text: payload.text }));

export const handler = realtime.wrap(resolver.getDefinitions());
