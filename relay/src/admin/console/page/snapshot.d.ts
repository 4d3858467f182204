// The shape of a snapshot, which the relay sends (snapshot.rs) and docs/operating.md documents.

export interface CodeCount {
  code: string;
  total: number;
  lastMinute: number;
  advice: string;
}

export interface RelayEvent {
  installation: string | null;
  account: string | null;
  attempt: string;
  code: string;
  count: number;
  firstAt: number;
  lastAt: number;
  trace: string;
  advice: string;
}

export interface Ranked {
  hash: string;
  count: number;
}

export interface Snapshot {
  at: number;
  version: string;
  uptimeSeconds: number;
  permitsChanges: boolean;
  state: { draining: boolean; ready: boolean; configCurrent: boolean; drainDeadlineSeconds: number };
  connections: {
    open: number;
    sessions: number;
    subscriptions: number;
    channels: number;
    permits: number;
    max: number;
  };
  rates: {
    connectionsOpened: number;
    publications: number;
    deliveries: number;
    presenceChanges: number;
    receivedBytes: number;
    sentBytes: number;
    refusals: number;
  } | null;
  latency: { publications: number; p50Ms: number | null; p99Ms: number | null } | null;
  memory: {
    limitBytes: number;
    parts: Record<string, number>;
    residentBytes: number | null;
    evictedBytes: number;
    connectionsShed: number;
  };
  refusals: CodeCount[];
  goodbyes: CodeCount[];
  limits: { limit: string; refusals: number }[];
  slow: {
    clients: number;
    stalled: number;
    bytes: number;
    largest: { bytes: number; stalledMs: number }[];
  };
  installations: Ranked[];
  channels: Ranked[];
  presence: {
    members: number;
    inGrace: number;
    remoteMembers: number;
    watchers: number;
    refusals: number;
    messagesRefused: number;
    channels: { hash: string; members: number; watchers: number; changesPerSecond: number | null }[];
  };
  recent: RelayEvent[];
  cluster: {
    servers: { server: string; connected: boolean; reconnects: number }[];
    streams: number;
    streamsFollowed: number;
    relay: string | null;
    others: string[];
  } | null;
}

/** The answer to a lookup. */
export interface Found {
  installation: string;
  account: string | null;
  sessions: number;
  connections: number;
  waitingBytes: number;
  stalledMs: number;
  sessionsElsewhere: number | null;
  maxSessions: number;
  revokedBefore: number | null;
  events: RelayEvent[];
}

/** The party of a lookup or a disconnect. */
export interface Party {
  app: string;
  installation: string;
  account?: string;
  everyone?: true;
}
