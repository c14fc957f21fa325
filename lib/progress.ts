import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';

const NAME = 'lakelet:progress';
const progressChannel = channel(NAME);

/** How far a step has come. Counts only grow within a step. */
export interface Progress {
  /** The step: `bronze`, `silver`, `gold`, or a part of one such as `gold/train`. */
  readonly step: string;
  /** What it is doing, in a few words. */
  readonly message?: string;
  /** Rows (of a training: trees) that are done. */
  readonly rows?: number;
  /** How many there will be, where that is known. */
  readonly total?: number;
  /** True once, when the step is over. */
  readonly done?: boolean;
}

/** Tells whoever listens in this process how far a step has come; costs next to nothing when nobody does. */
export function progress(event: Progress): void {
  if (progressChannel.hasSubscribers) progressChannel.publish(event);
}

/**
 * Calls `listener` for every {@link progress} of this process until the returned function is called. An error that the
 * listener throws never reaches the step: Node.js raises it as an uncaught exception.
 */
export function onProgress(listener: (event: Progress) => void): () => void {
  const receive = (message: unknown): void => {
    if (isProgress(message)) listener(message);
  };
  subscribe(NAME, receive);
  return () => {
    unsubscribe(NAME, receive);
  };
}

function isProgress(message: unknown): message is Progress {
  return typeof message === 'object' && message !== null && 'step' in message && typeof message.step === 'string';
}
