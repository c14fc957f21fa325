/** The version of Lakelet that did a step, as `ops/runs` tells it; package.json's own. */
export const CODE_VERSION = '0.1.0';
