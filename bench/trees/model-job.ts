/** How models grow in one comparison. */
export interface Growth {
  /** What the table is headed by. */
  readonly name: string;
  /** Splits between root and leaf; unlimited where absent. */
  readonly depth?: number;
  /** Rows in a leaf, at least. */
  readonly leaf: number;
  /** Share of the features that a split may choose from. */
  readonly maxFeatures: number;
}

/** One model to train, as the processes of both sides read it. */
export interface ModelJob extends Growth {
  /** The folder of the training files. */
  readonly data: string;
  /** Which of the process's models: `forest` or `boosting` here; scikit-learn's and others there. */
  readonly model: string;
  readonly trees: number;
  readonly seed: number;
  /** How many rows to predict for the clock; none where 0. */
  readonly predict: number;
}

/** What a process tells of its model. */
export interface ModelMeasured {
  /** Seconds from columns in memory (at scikit-learn: from its input matrix) to a trained model. */
  readonly fit: number;
  /** User seconds of all processors meanwhile. */
  readonly cpu: number;
  /** Seconds with all else that a user waits for: encoding, fitting, predicting the held-out rows. */
  readonly all: number;
  /** Seconds to predict the rows asked for; NaN (null in JSON) for none. */
  readonly predict: number | null;
  /** On the held-out rows, as is `mae`. */
  readonly r2: number;
  readonly mae: number;
  /** Peak of the process's memory while it fits, MB. */
  readonly peak: number;
  /** How much of it came on top of what it held before, its data loaded and its packages imported. */
  readonly above: number;
}
