// The channels of an issue, which the functions and the panel share.

/** The channel map: the payload of each channel. */
export interface Channels {
  /** Somebody began or ended to work on the issue. */
  work: { accountId: string; isWorking: boolean };
  /** The comments of the issue have changed. Each panel asks Jira for those that its user may see. */
  comments: { event: string };
}
