import { LakeletError } from '../errors.ts';
import type { HttpRequest } from './http.ts';

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Refuses what a page of another site lets a browser ask of a server on this machine, also where the site's name leads to
 * this machine (DNS rebinding). serverless-offline would allow every origin.
 *
 * @throws LakeletError `ORIGIN_REFUSED`
 */
export function checkOrigin({ headers }: HttpRequest): void {
  const { host = '', origin } = headers;
  const asked = URL.parse(`http://${host}`);
  if (asked === null || !LOOPBACK.has(asked.hostname)) {
    throw new LakeletError('ORIGIN_REFUSED', 'The request names another host than this machine; ask http://127.0.0.1');
  }
  if (origin !== undefined && URL.parse(origin)?.host !== asked.host) {
    throw new LakeletError(
      'ORIGIN_REFUSED',
      'The request comes from a page of another site, which may not ask this API',
    );
  }
}
