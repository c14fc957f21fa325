// What goes through the pipes: a line of JSON, and after it as many bytes as its `size` says, which are JSON as well. The
// bytes (up to 6 MB, in a function that may have 128 MB) are so copied as seldom as can be.
import { writeSync } from 'node:fs';

const LINE_END = 10;

/**
 * The requests that come through a pipe; each is sent when the one before is answered.
 *
 * @param {AsyncIterable<Buffer>} input
 * @returns {AsyncGenerator<{ id: string, arn: string, trace: string, deadline: number, event: string }>}
 */
export async function* requestsOf(input) {
  let head;
  let parts = [];
  let missing = 0;
  for await (const chunk of input) {
    parts.push(chunk);
    missing -= chunk.length;
    if (head === undefined) {
      const begun = Buffer.concat(parts);
      const end = begun.indexOf(LINE_END);
      parts = [begun];
      if (end < 0) continue;
      head = JSON.parse(begun.subarray(0, end));
      parts = [begun.subarray(end + 1)];
      missing = head.size - parts[0].length;
    }
    if (missing > 0) continue;
    const request = { ...head, event: Buffer.concat(parts).toString() };
    head = undefined;
    parts = [];
    yield request;
  }
}

/**
 * Writes an answer, and returns when the pipe has all of it.
 *
 * @param {number} descriptor
 * @param {object} head
 * @param {string} body
 */
export function writeAnswer(descriptor, head, body = '') {
  const data = Buffer.from(body);
  writeAll(descriptor, Buffer.from(`${JSON.stringify({ ...head, size: data.length })}\n`));
  writeAll(descriptor, data);
}

function writeAll(descriptor, data) {
  for (let at = 0; at < data.length; ) at += writeSync(descriptor, data, at);
}
