/** A chart that a report draws of a table of gold. */
export interface ChartSpec {
  /** Says what it shows, for example `Revenue by category`. */
  readonly title: string;
  readonly kind: 'bar' | 'line';
  /** The columns that make a bar or a point. Those of a line are parts of time, the greatest first (`year`, `month`). */
  readonly by: readonly string[];
  /** The column that is shown; its values are added up over the groups that `by` leaves together. */
  readonly measure: string;
  /** What the measure is counted in, where that is known. */
  readonly unit?: string;
  /** In what order bars stand: the greatest first (the default), by name, or as listed. */
  readonly order?: 'value' | 'name' | readonly string[];
}

/** One bar, or one point of a line. */
export interface Point {
  readonly label: string;
  readonly value: number;
}

/** A {@link ChartSpec} with its figures. */
export interface ChartData extends ChartSpec {
  /** Of a line in the order of time; where there are more than a chart can show, the greatest bars or the latest points. */
  readonly points: readonly Point[];
  /** How many bars or points there are, those left out of `points` among them. */
  readonly groups: number;
  /** The measure over all of them. */
  readonly total: number;
}

/** One table of gold and what is drawn of it. */
export interface Answer {
  /** Its place in the lake, for example `gold/purchases_by_category`. */
  readonly table: string;
  readonly columns: readonly string[];
  /** Its first rows, by column. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly rowCount: number;
  readonly charts: readonly ChartData[];
}

/** What became of records: `in = good + quarantined + duplicates + rejected`. */
export interface FateCounts {
  readonly in: number;
  readonly good: number;
  readonly quarantined: number;
  readonly duplicates: number;
  readonly rejected: number;
}

/** What became of the records, and why some were set aside. */
export interface Fates {
  /** Of the records that this run delivered; absent where silver was made by another run. */
  readonly run?: FateCounts;
  /** Of all records in bronze; absent where silver's version does not tell. */
  readonly all?: FateCounts;
  /** What the quarantine holds, by rule, the most first. */
  readonly quarantine: readonly { readonly rule: string; readonly reason: string; readonly rows: number }[];
}

/** Which run it is. */
export interface RunFacts {
  readonly id: string;
  /** Milliseconds since 1970, when the report was made. */
  readonly madeAt: number;
  /** From the run's beginning to the report, where the beginning is known. */
  readonly seconds?: number;
  readonly lake: string;
  readonly codeVersion: string;
}

/** Scores of a model on the held-out rows. */
export interface Scores {
  readonly r2?: number;
  readonly mae?: number;
  readonly rmse: number;
}

/** How the new model did against the champion, on the same rows. */
export interface ChampionFacts {
  /** Its name and version, for example `version 15`. */
  readonly name: string;
  readonly scores: Scores;
  /** Whether the paired test says that the new model is better. */
  readonly better: boolean;
  readonly pValue: number;
  /** Mean of the squared errors' differences, champion's less the new model's. */
  readonly difference: number;
}

/** The error on a part of the held-out rows. */
export interface SegmentFacts {
  /** The column by which the rows are parted. */
  readonly column: string;
  readonly segment: string;
  readonly rows: number;
  readonly mae: number;
  /** Mean of predicted less actual. */
  readonly bias: number;
}

/** The model of a run, and how good it is. */
export interface ModelFacts {
  /** The name it is registered under. */
  readonly name: string;
  readonly target: string;
  /** What the target is counted in, where that is known. */
  readonly unit?: string;
  readonly algorithm: 'forest' | 'boosting';
  readonly trees: number;
  readonly features: readonly string[];
  /** Rows that it learnt from. */
  readonly rows: number;
  readonly seconds: number;
  /** How the held-out rows were chosen, in words: `one row in five, by its key`. */
  readonly split: string;
  readonly scores: Scores;
  /** What it is compared with beside the champion: the mean first. */
  readonly comparisons: readonly { readonly name: string; readonly scores: Scores }[];
  readonly champion?: ChampionFacts;
  /** Where there is a champion that could not be compared, or none yet: why, in words. */
  readonly withoutChampion?: string;
  /** Each feature's share of what the splits lowered the squared error by. */
  readonly importances: readonly { readonly name: string; readonly importance: number }[];
  /** How much the RMSE rises where a feature's values are shuffled among the held-out rows. */
  readonly permutation?: readonly { readonly name: string; readonly mean: number; readonly sd: number }[];
  /** The held-out rows, in one order. */
  readonly actual: Float64Array;
  readonly predicted: Float64Array;
  readonly intervals?: {
    /** The share of rows that an interval should hold. */
    readonly level: number;
    /** The share that they held, of held-out rows that had no part in making them. */
    readonly coverage: number;
    /** In the target's unit. */
    readonly meanWidth: number;
  };
  readonly segments?: readonly SegmentFacts[];
  /** The error by the number of trees, 1, 2, …; NaN where there was nothing to score yet. */
  readonly curve?: { readonly name: string; readonly values: ArrayLike<number> };
}

/** A table of the lake at the version that the run left or read. */
export interface TableFacts {
  readonly table: string;
  readonly rows: number | null;
  readonly files: number;
  readonly version: number;
}

/** All that a report tells. */
export interface ReportInput {
  /** The dataset's name. */
  readonly dataset: string;
  readonly run: RunFacts;
  readonly answers: readonly Answer[];
  readonly fates: Fates;
  readonly model: ModelFacts;
  readonly tables: readonly TableFacts[];
}
