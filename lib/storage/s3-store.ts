import { LakeletError, printable } from '../errors.ts';
import { checkKey, checkPrefix, MAX_KEY_BYTES, rootPrefix } from './key.ts';
import type { ByteRange, ObjectInfo, ObjectStore } from './object-store.ts';
import { type S3Connection, sharedS3 } from './s3-client.ts';
import { noBucket, s3Error } from './s3-errors.ts';
import { listObjects } from './s3-list.ts';
import { writeIfAbsent } from './s3-put-if-absent.ts';
import { headObject, readObject, type S3Object } from './s3-read.ts';
import { statusOf } from './s3-retry.ts';
import { type S3Place, s3Place } from './s3-uri.ts';
import { writeFileObject, writeObject } from './s3-write.ts';

/**
 * A prefix of a bucket in S3, or in a server that speaks S3, as an {@link ObjectStore}. It is reached by the AWS SDK's own
 * settings and credentials alone, and the SDK is loaded at the first call. Requests are made again, with pauses, while a
 * failure can pass: for a minute where the server has answered before, for three seconds where it never has. Besides the
 * contract's codes it throws `BUCKET_NOT_FOUND`, `STORE_UNREACHABLE`, `WRONG_REGION` and `NOT_SUPPORTED`.
 */
export class S3Store implements ObjectStore {
  readonly uri: string;
  private readonly place: S3Place;
  private readonly connect: () => Promise<S3Connection>;

  /**
   * @param place `s3://bucket/prefix`, or what it names.
   * @param connect how S3 is reached; by default over the connection that the process shares.
   */
  constructor(place: string | S3Place, connect: () => Promise<S3Connection> = sharedS3) {
    this.place = typeof place === 'string' ? s3Place(place) : place;
    this.connect = connect;
    this.uri = `s3://${this.place.bucket}/${this.place.prefix}`.slice(0, -1);
  }

  async get(key: string, range?: ByteRange): Promise<Uint8Array> {
    const object = this.object(key);
    const bytes = await this.call('read', object.Key, async (connection) => {
      const found = await readObject(connection, object, range);
      if (found === undefined) await this.checkBucket(connection);
      return found;
    });
    if (bytes !== undefined) return bytes;
    throw new LakeletError('NOT_FOUND', `There is no object ${printable(`${this.uri}/${key}`, 300)}; check the URI`);
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    const object = this.object(key);
    return this.call('look at', object.Key, async (connection) => {
      const found = await headObject(connection, object);
      if (found === undefined) await this.checkBucket(connection);
      return found && { key, ...found };
    });
  }

  async put(key: string, body: Uint8Array): Promise<void> {
    const object = this.object(key);
    await this.call('write', object.Key, (connection) => writeObject(connection, object, body));
  }

  async putIfAbsent(key: string, body: Uint8Array): Promise<'created' | 'exists'> {
    const object = this.object(key);
    const won = await this.call('write', object.Key, (connection) => writeIfAbsent(connection, object, body));
    return won ? 'created' : 'exists';
  }

  async putFile(key: string, localPath: string): Promise<void> {
    const object = this.object(key);
    await this.call('write', object.Key, (connection) => writeFileObject(connection, object, localPath));
  }

  async *list(prefix: string, options: { readonly startAfter?: string } = {}): AsyncGenerator<ObjectInfo> {
    const where = this.place.prefix + checkPrefix(prefix);
    let connection: S3Connection | undefined;
    try {
      connection = await this.connect();
      yield* listObjects(connection, this.place, prefix, options.startAfter ?? '');
    } catch (error) {
      throw this.failure(error, 'list', where, connection);
    }
  }

  async delete(key: string): Promise<void> {
    const object = this.object(key);
    await this.call('delete', object.Key, ({ client, sdk }) => client.send(new sdk.DeleteObjectCommand(object)));
  }

  localPath(): undefined {
    return undefined;
  }

  at(prefix: string): S3Store {
    const below = rootPrefix(prefix);
    if (below === '') return this;
    return new S3Store({ bucket: this.place.bucket, prefix: this.place.prefix + below }, this.connect);
  }

  private object(key: string): S3Object {
    const full = this.place.prefix + checkKey(key);
    if (Buffer.byteLength(full) > MAX_KEY_BYTES) {
      throw new LakeletError(
        'INVALID_KEY',
        `The key "${printable(full, 200)}" is longer than S3's ${MAX_KEY_BYTES} bytes; choose a shorter prefix`,
      );
    }
    return { Bucket: this.place.bucket, Key: full };
  }

  private async call<T>(doing: string, key: string, request: (connection: S3Connection) => Promise<T>): Promise<T> {
    let connection: S3Connection | undefined;
    try {
      connection = await this.connect();
      return await request(connection);
    } catch (error) {
      throw this.failure(error, doing, key, connection);
    }
  }

  private failure(error: unknown, doing: string, key: string, connection: S3Connection | undefined): LakeletError {
    return s3Error(error, doing, { bucket: this.place.bucket, key, server: connection?.server ?? 'S3' });
  }

  /** A missing bucket must not pass for one that is empty, and the answers to HEAD are the same for both. */
  private async checkBucket({ client, sdk, server, buckets }: S3Connection): Promise<void> {
    const { bucket } = this.place;
    if (buckets.has(bucket)) return;
    try {
      await client.send(new sdk.HeadBucketCommand({ Bucket: bucket }));
    } catch (error) {
      if (statusOf(error) === 404) throw noBucket({ bucket, key: '', server }, error);
      // Who may not ask for the bucket may still use what is in it.
      if (statusOf(error) !== 403) throw error;
    }
    buckets.add(bucket);
  }
}
