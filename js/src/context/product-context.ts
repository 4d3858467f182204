// The names of the context properties that a channel's scope can be narrowed to: the values of @forge/bridge's enums
// and, beyond them, Jira's dashboards and gadgets.

export enum Jira {
  Board = 'board',
  Issue = 'issue',
  Project = 'project',
  Dashboard = 'dashboard',
  Gadget = 'gadget',
}

export enum Confluence {
  Content = 'content',
  Space = 'space',
}

export enum Bitbucket {
  Repository = 'repository',
  PullRequest = 'pullRequest',
}

/** A property by its enum (this package's or @forge/bridge's) or by its plain name. */
export type ProductContext = `${Jira | Confluence | Bitbucket}`;
