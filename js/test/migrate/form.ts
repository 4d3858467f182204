// A form of an import, before and after the migration. A form without `after` stays as it is.

export interface Form {
  name: string;
  /** The extension of the file. */
  file: string;
  before: string;
  after?: string;
  /** The lines of the places that were not changed. */
  lines?: number[];
}
