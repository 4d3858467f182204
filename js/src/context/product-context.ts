// The names of the context properties that a channel's scope can keep: the values of @forge/bridge's enums, and the properties
// of other modules.

/** The properties of a Jira context. */
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
/** A property of a Jira context. */
export type Jira = Value<typeof Jira>;

/** The properties of a Jira Service Management context. */
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
/** A property of a Jira Service Management context. */
export type JiraServiceManagement = Value<typeof JiraServiceManagement>;

/** The properties of a Confluence context. */
export const Confluence = { Content: 'content', Space: 'space', Template: 'template' } as const;
/** A property of a Confluence context. */
export type Confluence = Value<typeof Confluence>;

/** The properties of a Compass context. */
export const Compass = { Component: 'component', Team: 'team' } as const;
/** A property of a Compass context. */
export type Compass = Value<typeof Compass>;

/** The properties of a Bitbucket context. */
export const Bitbucket = {
  Repository: 'repository',
  PullRequest: 'pullRequest',
  Workspace: 'workspace',
  Commit: 'commit',
  File: 'file',
} as const;
/** A property of a Bitbucket context. */
export type Bitbucket = Value<typeof Bitbucket>;

/** The properties of every product: the module's key, and the account on pages that show the user's own data. */
export const Forge = { Module: 'module', Account: 'account' } as const;
/** A property that does not depend on the product. */
export type Forge = Value<typeof Forge>;

type Value<T> = T[keyof T];

/** A known property, as a constant of this package or of @forge/bridge, or as its plain name. */
export type KnownProperty = Jira | JiraServiceManagement | Confluence | Compass | Bitbucket | Forge;

/**
 * A known property, or one that the app adds with `createRealtime({ properties })`. TypeScript checks the known names
 * only: pass the name of another property as `property('team')`.
 */
export type ProductContext = KnownProperty | AppProperty;

declare const appProperty: unique symbol;

/** The name of a property that the app adds with `createRealtime({ properties })`. */
export type AppProperty = string & { readonly [appProperty]: true };

/**
 * Marks a name as that of a property which `createRealtime({ properties })` adds.
 *
 * @param name - The name of the property.
 * @returns The same name, for the option `contextOverrides`.
 *
 * @example
 * ```ts
 * await realtime.subscribe('news', show, { contextOverrides: [property('team')] });
 * ```
 */
export function property(name: string): AppProperty {
  return name as AppProperty;
}
