// What the kernel's module exports: each family of functions has a file of its own.
export { forestPartition, forestSearch } from './forest';
export { scoreUndrawn } from './leaves';
export {
  boostingBin,
  boostingGradients,
  boostingHistogram,
  boostingMeet,
  boostingMerge,
  boostingPartition,
  boostingRows,
  boostingSearch,
  boostingSubtract,
  boostingUpdate,
} from './boosting';
