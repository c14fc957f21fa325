/** What every good record satisfies. */
export interface Expectation {
  /** A stable word in snake case, which the quarantine table and its users name it by. */
  readonly rule: string;
  /**
   * A SQL condition over the raw record's columns. A record that makes it true passes; false or null (nothing can be said
   * of a missing value) fails, so a condition on a column that may be missing says so: `age IS NULL OR age > 0`.
   */
  readonly condition: string;
  /** Why a record that fails cannot be used, for people. */
  readonly reason: string;
}
