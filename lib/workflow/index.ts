export { FUNCTIONS, type FunctionName, functionsOfTasks, readDefinition } from './definition.ts';
export { type EmbeddedOptions, startEmbedded, TaskFailure, type TaskHandler, type TaskHandlers } from './embedded.ts';
export type { ExecutionResult, StateChange } from './execution.ts';
export { abortedWith, failureOf } from './failure.ts';
export { type LambdaHandlers, lambdaHandlers } from './lambda.ts';
export { type StepFunctionsOptions, startStepFunctions } from './step-functions.ts';
