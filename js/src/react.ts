// The package's entry for React: `import { useChannel } from 'sealwire/react'`.

export { RealtimeProvider, useRealtime, type RealtimeProviderProps } from './react/context.js';
export { useChannel } from './react/use-channel.js';
export type { ChannelHandler, ChannelHandlers, ChannelState, UseChannelOptions } from './react/types.js';
export { usePublish, type UsePublishOptions } from './react/use-publish.js';
export { useRealtimeState } from './react/use-realtime-state.js';
