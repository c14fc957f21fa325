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
  for await (const chunk of input) {
    parts.push(chunk);
    if (head === undefined) {
      const begun = Buffer.concat(parts);
      const end = begun.indexOf(LINE_END);
      if (end < 0) continue;
      head = JSON.parse(begun.subarray(0, end));
      parts = [begun.subarray(end + 1)];
    }
    if (parts.reduce((bytes, part) => bytes + part.length, 0) < head.size) continue;
    yield { ...head, event: Buffer.concat(parts).toString() };
    head = undefined;
    parts = [];
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
