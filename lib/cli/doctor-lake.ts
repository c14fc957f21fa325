import { dirname } from 'node:path';
import { messageOf, printable } from '../errors.ts';
import { type FolderProbe, openStore, probeFolder } from '../storage/index.ts';
import { type BucketProbe, probeBucket } from '../storage/s3-probe.ts';
import type { Check } from './doctor-check.ts';
import { bytes } from './figures.ts';

const LITTLE_SPACE = 1024 ** 3;

/** How the lake's folder or bucket behaves as a store. Throws nothing. */
export async function checkLake(lakeUri: string): Promise<readonly Check[]> {
  try {
    const store = openStore(lakeUri);
    if (store.uri.startsWith('s3://')) return bucketChecks(store.uri, await probeBucket(store.uri));
    const path = store.localPath('probe');
    if (path === undefined) return [{ name: 'lake', status: 'ok', detail: printable(lakeUri) }];
    const folder = dirname(path);
    return folderChecks(folder, await probeFolder(folder));
  } catch (error) {
    const advice = /^s3:/i.test(lakeUri) ? {} : { advice: 'choose another folder with --lake or LAKE_URI' };
    return [{ name: 'lake', status: 'fail', detail: printable(messageOf(error)), ...advice }];
  }
}

function folderChecks(folder: string, probe: FolderProbe): readonly Check[] {
  return [
    {
      name: 'lake',
      status: 'ok',
      detail: `${printable(folder)} can be written (${probe.writeMilliseconds.toFixed(1)} ms a durable write)`,
    },
    raceCheck(probe, 'choose a folder on a local disk: here, two runs at once could lose data'),
    probe.hardLinks
      ? { name: 'hard links', status: 'ok', detail: 'supported' }
      : {
          name: 'hard links',
          status: 'warn',
          detail: 'not supported by this file system; commits are kept apart by claims, which is slower',
          advice: 'let every writer reach the folder through this same kind of mount, or choose a local disk',
        },
    probe.freeBytes >= LITTLE_SPACE
      ? { name: 'free space', status: 'ok', detail: bytes(probe.freeBytes) }
      : {
          name: 'free space',
          status: 'warn',
          detail: bytes(probe.freeBytes),
          advice: 'free some space before large runs',
        },
  ];
}

function bucketChecks(uri: string, probe: BucketProbe): readonly Check[] {
  const { writeMilliseconds, readMilliseconds } = probe;
  const times = `${writeMilliseconds.toFixed(1)} ms a write, ${readMilliseconds.toFixed(1)} ms a read`;
  const advice =
    'choose a server that honours If-None-Match: * (AWS S3, MinIO and LocalStack do): here, two runs at once could lose data';
  return [
    {
      name: 'lake',
      status: 'ok',
      detail: `${printable(uri)} at ${printable(probe.server)} can be read and written (${times})`,
    },
    probe.conditionFailure === undefined
      ? raceCheck(probe, advice)
      : { name: 'put-if-absent', status: 'fail', detail: printable(probe.conditionFailure.message) },
    probe.listed
      ? { name: 'listing', status: 'ok', detail: 'in order, and whole at once' }
      : {
          name: 'listing',
          status: 'fail',
          detail: 'does not show what was just written, or not where it should begin',
          advice:
            'choose a server whose listings are consistent, as those of AWS S3 are: commits could be overlooked here',
        },
    probe.deleteFailure === undefined
      ? { name: 'deleting', status: 'ok', detail: 'allowed' }
      : {
          name: 'deleting',
          status: 'warn',
          detail: printable(probe.deleteFailure.message),
          advice: 'vacuum and optimize need it; until then the trial objects (.lakelet-probe-…) stay there',
        },
  ];
}

function raceCheck({ winners, intact }: { readonly winners: number; readonly intact: boolean }, advice: string): Check {
  const name = 'put-if-absent';
  if (winners === 1 && intact) return { name, status: 'ok', detail: 'one of 8 writers at once won' };
  const detail = `${winners} of 8 writers at once won${intact ? '' : ', and other bytes are there'}`;
  return { name, status: 'fail', detail, advice };
}
