export { FUNCTIONS, type FunctionName, functionsOfTasks, readDefinition } from './definition.ts';
export {
  type EmbeddedOptions,
  type ExecutionResult,
  type StateChange,
  startEmbedded,
  type TaskHandler,
  type TaskHandlers,
} from './embedded.ts';
