import type { Column } from '../../lib/pipeline/dataset.ts';

/** What a source of purchases delivers. */
export const columns: readonly Column[] = [
  { name: 'purchase_id', type: 'string' },
  { name: 'customer_id', type: 'string' },
  { name: 'purchased_at', type: 'timestamp' },
  { name: 'updated_at', type: 'timestamp' },
  { name: 'age', type: 'integer' },
  { name: 'income', type: 'double' },
  { name: 'education', type: 'string' },
  { name: 'city', type: 'string' },
  { name: 'product_category', type: 'string' },
  { name: 'product', type: 'string' },
  { name: 'payment_method', type: 'string' },
  { name: 'quantity', type: 'integer' },
  { name: 'unit_price', type: 'double' },
  { name: 'purchase_amount', type: 'double' },
];

/** What bronze notes of each record, beside its {@link columns}. */
export const landingColumns: readonly Column[] = [
  { name: 'run_id', type: 'string' },
  { name: 'source', type: 'string' },
  { name: 'ingested_at', type: 'timestamp' },
];

/** What silver adds to bronze's columns. */
export const derivedColumns: readonly Column[] = [
  { name: 'purchase_date', type: 'date' },
  { name: 'age_group', type: 'string' },
  { name: 'income_category', type: 'string' },
  { name: 'year', type: 'integer' },
  { name: 'quarter', type: 'integer' },
  { name: 'month', type: 'integer' },
  { name: 'day_of_week', type: 'integer' },
  { name: 'hour', type: 'integer' },
  { name: 'is_weekend', type: 'boolean' },
];

/** What each aggregate has beside its group's columns. */
export const measures: readonly Column[] = [
  { name: 'purchases', type: 'long' },
  { name: 'customers', type: 'long' },
  { name: 'revenue', type: 'double' },
  { name: 'average', type: 'double' },
  { name: 'median', type: 'double' },
];
