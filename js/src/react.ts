// The package's entry for React: `import { useChannel } from 'sealwire/react'`.

export type { ChannelMap, ChannelName } from './channel-map.js';
export { RealtimeProvider, useRealtime, type RealtimeProviderProps } from './react/context.js';
export { createHooks, type Hooks, type UseChannel, type UsePublish } from './react/hooks.js';
export { useChannel } from './react/use-channel.js';
export type { ChannelHandler, ChannelHandlers, ChannelState, UseChannelOptions } from './react/types.js';
export type { PresenceState, UsePresenceOptions } from './react/presence-state.js';
export { usePresence } from './react/use-presence.js';
export { usePublish, type UsePublishOptions } from './react/use-publish.js';
export { useRealtimeState } from './react/use-realtime-state.js';
