// The names of the context properties that a channel's scope can be narrowed to: the values of @forge/bridge's enums
// and, beyond them, those of the other modules.

export const Jira = {
  Board: 'board',
  Issue: 'issue',
  Project: 'project',
  Dashboard: 'dashboard',
  Gadget: 'gadget',
  Sprint: 'sprint',
  Filter: 'filter',
  Field: 'field',
} as const;
export type Jira = Value<typeof Jira>;

export const JiraServiceManagement = {
  Portal: 'portal',
  Request: 'request',
  RequestType: 'requestType',
  Organization: 'organization',
  Queue: 'queue',
  HelpCenter: 'helpCenter',
  AssetsImport: 'assetsImport',
  Page: 'page',
} as const;
export type JiraServiceManagement = Value<typeof JiraServiceManagement>;

export const Confluence = { Content: 'content', Space: 'space', Template: 'template' } as const;
export type Confluence = Value<typeof Confluence>;

export const Compass = { Component: 'component', Team: 'team' } as const;
export type Compass = Value<typeof Compass>;

export const Bitbucket = {
  Repository: 'repository',
  PullRequest: 'pullRequest',
  Workspace: 'workspace',
  Commit: 'commit',
  File: 'file',
} as const;
export type Bitbucket = Value<typeof Bitbucket>;

/** Properties that do not depend on the product: the module's key, and the account on pages that are the user's own. */
export const Forge = { Module: 'module', Account: 'account' } as const;
export type Forge = Value<typeof Forge>;

type Value<T> = T[keyof T];

/** A property by its constant (this package's or @forge/bridge's) or by its plain name. */
export type KnownProperty = Jira | JiraServiceManagement | Confluence | Compass | Bitbucket | Forge;

/**
 * A known property, or one that the app adds with `createRealtime({ properties })`. TypeScript checks the known names
 * only: pass the name of another property as `property('team')`.
 */
export type ProductContext = KnownProperty | AppProperty;

declare const appProperty: unique symbol;

/** The name of a property of the app's own. */
export type AppProperty = string & { readonly [appProperty]: true };

/** Marks a name as that of a property which `createRealtime({ properties })` adds. */
export function property(name: string): AppProperty {
  return name as AppProperty;
}
