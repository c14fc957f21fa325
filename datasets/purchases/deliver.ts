import {
  DOUBLE,
  type DuckDBConnection,
  type DuckDBDataChunk,
  DuckDBTableFunction,
  type DuckDBType,
  INTEGER,
} from '@duckdb/node-api';
import type { DeliveredRows, Delivery } from '../../lib/pipeline/dataset.ts';
import { progress } from '../../lib/progress.ts';
import { BLOCK_ROWS, type Block, UNKNOWN } from './block.ts';
import { drawBlock } from './draw.ts';
import { CATEGORIES, drawPools, EDUCATIONS, PAYMENT_METHODS, spellings } from './pools.ts';

/** The columns that cross over to DuckDB; all words are numbers until its side looks them up. */
const CROSSING: readonly { readonly name: Exclude<keyof Block, 'first' | 'count'>; readonly type: DuckDBType }[] = [
  { name: 'purchase', type: INTEGER },
  { name: 'customer', type: INTEGER },
  { name: 'purchasedAt', type: INTEGER },
  { name: 'updatedAt', type: INTEGER },
  { name: 'age', type: INTEGER },
  { name: 'income', type: DOUBLE },
  { name: 'education', type: INTEGER },
  { name: 'city', type: INTEGER },
  { name: 'category', type: INTEGER },
  { name: 'product', type: INTEGER },
  { name: 'payment', type: INTEGER },
  { name: 'quantity', type: INTEGER },
  { name: 'unitPrice', type: DOUBLE },
  { name: 'amount', type: DOUBLE },
];

/** Table functions have no namespace in DuckDB, so each delivery's has a number. */
let deliveries = 0;

/**
 * Readies purchases on a connection, as a table function that draws them while DuckDB reads: nothing is held but the block
 * at hand and the next one, which is drawn while DuckDB writes the last. No statement may be running on the connection.
 */
export function deliverPurchases(connection: DuckDBConnection, delivery: Delivery): DeliveredRows {
  const blocks = Math.ceil(delivery.rows / BLOCK_ROWS);
  const [from, to] = blocksOfShard(blocks, delivery);
  const rows = Math.max(0, Math.min(delivery.rows, to * BLOCK_ROWS) - from * BLOCK_ROWS);
  const pools = drawPools();
  const name = `purchases_delivery_${deliveries++}`;
  const countOf = (block: number): number => Math.min(BLOCK_ROWS, delivery.rows - block * BLOCK_ROWS);
  const draw = (block: number): Block => drawBlock(delivery.seed, block, countOf(block), pools.cities.length);

  let next = from;
  let ahead: Block | undefined;
  const drawNext = (): Block | undefined => (next < to ? draw(next++) : undefined);

  connection.registerTableFunction(
    DuckDBTableFunction.create({
      name,
      bindFunction(info) {
        for (const column of CROSSING) info.addResultColumn(column.name, column.type);
        info.setCardinality(rows, true);
      },
      initFunction(info) {
        // One reader keeps the records in their order.
        info.setMaxThreads(1);
        next = from;
        ahead = undefined;
      },
      mainFunction(_info, chunk) {
        const block = ahead ?? drawNext();
        ahead = undefined;
        handOver(block, chunk);
        if (block === undefined) return;
        progress({
          step: 'bronze',
          message: 'generating',
          rows: block.first + block.count - from * BLOCK_ROWS,
          total: rows,
        });
        setImmediate(() => {
          ahead ??= drawNext();
        });
      },
    }),
  );
  return { sql: selectWords(name, delivery.seed, pools), rows, source: `faker:seed=${delivery.seed}` };
}

/** The blocks of a shard, as an even, contiguous share: [from, to). */
function blocksOfShard(blocks: number, { shard, shards }: Delivery): [number, number] {
  if (shard === undefined) return [0, blocks];
  return [Math.floor((blocks * shard) / shards), Math.floor((blocks * (shard + 1)) / shards)];
}

/** Fills a chunk with a block; with no rows where there is none, which is how a table function ends. */
function handOver(block: Block | undefined, chunk: DuckDBDataChunk): void {
  chunk.rowCount = block?.count ?? 0;
  if (block === undefined) return;
  for (const [position, { name }] of CROSSING.entries()) {
    const vector = chunk.getColumnVector(position);
    const values = block[name];
    for (let at = 0; at < values.length; at++) vector.setItem(at, values[at] ?? UNKNOWN);
    vector.flush();
  }
}

function selectWords(
  name: string,
  seed: number,
  pools: { cities: readonly string[]; products: readonly string[] },
): string {
  return `SELECT
    'P${seed}-' || lpad(purchase::VARCHAR, 10, '0') AS purchase_id,
    'C${seed}-' || lpad(customer::VARCHAR, 9, '0') AS customer_id,
    to_timestamp(purchasedAt) AS purchased_at,
    to_timestamp(updatedAt) AS updated_at,
    nullif(age, ${UNKNOWN}) AS age,
    CASE WHEN isnan(income) THEN NULL ELSE income END AS income,
    ${words('education', spellings(EDUCATIONS))} AS education,
    ${words('city', pools.cities)} AS city,
    ${words('category', spellings(CATEGORIES))} AS product_category,
    ${words('product', pools.products)} AS product,
    ${words('payment', spellings(PAYMENT_METHODS))} AS payment_method,
    quantity,
    unitPrice AS unit_price,
    amount AS purchase_amount
  FROM ${name}()`;
}

/** A look-up of a word by its place; a place that is none (a missing value) yields NULL. */
function words(column: string, list: readonly string[]): string {
  const literals = list.map((word) => `'${word.replaceAll("'", "''")}'`).join(', ');
  return `CASE WHEN ${column} >= 0 THEN [${literals}][${column} + 1] END`;
}
