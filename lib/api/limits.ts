import { MOST_RECORDS } from '../serving/index.ts';

/** What one request may ask for; docs/http.md tells them. */
export const LIMITS = {
  /** Bytes of a request's body: less than the 6 MB that Lambda takes. */
  bodyBytes: 5_000_000,
  /** Bytes of the rows in an answer, as JSON: less than the 6 MB that Lambda gives back. */
  rowBytes: 4_000_000,
  /** Rows of one page of a table. */
  pageRows: 1000,
  /** Commits of a table's history. */
  historyEntries: 20,
  /** Characters of a query's SQL. */
  sqlCharacters: 100_000,
  /** Rows of a query's result. */
  queryRows: 10_000,
  /** From the request to the answer, with the time to fetch files; an HTTP API of AWS gives up after 30 s. */
  querySeconds: 20,
  /** For any answer: the function is ended at 29 s, and serverless-offline then answers 200. */
  answerSeconds: 26,
  /** For the store to answer whether it is well: who asks wants to know soon. */
  healthSeconds: 5,
  /** What DuckDB may hold of a query in memory. */
  queryMemory: '512MB',
  /** What the whole process of a query may hold, in bytes: DuckDB does not count everything that it holds. */
  queryProcessBytes: 1_200_000_000,
  /** Threads of a query. */
  queryThreads: 2,
  /** Records that are scored at once. */
  records: MOST_RECORDS,
} as const;
