/** The seam for bringing a store up to date at a time of one's own: left alone, the first command that uses it does so. */

/** A step from one version of a schema to the next. */
export interface Migration {
  /** From 1 on. */
  readonly number: number;
  readonly name: string;
  readonly sql: string;
}

export interface Migrator {
  readonly location: string;
  /** What has not been applied yet, in order. Changes nothing, also where there is no queue yet. Throws as `migrate`. */
  pending(): Promise<readonly Migration[]>;
  /**
   * Applies what is pending, all or nothing, and returns what it applied: nothing, if others were faster. Throws
   * `E_STORE_VERSION` for a store that a newer version made, and `E_STORE_IO`.
   */
  migrate(): Promise<readonly Migration[]>;
}
