import type { Aggregate, Column, Dataset } from '../../lib/pipeline/dataset.ts';
import { columns, derivedColumns, landingColumns, measures } from './columns.ts';
import { deliverPurchases } from './deliver.ts';
import { expectations } from './expectations.ts';

/** Synthetic purchases of a shop; docs/purchases.md says what is in them. */
export const purchases: Dataset = {
  name: 'purchases',
  columns,
  identity: { key: 'purchase_id', updatedAt: 'updated_at' },
  expectations,
  silver: { sqlFile: 'datasets/purchases/silver.sql', columns: [...columns, ...landingColumns, ...derivedColumns] },
  gold: [
    aggregate(
      'purchases_by_category',
      [{ name: 'product_category', type: 'string' }],
      [{ title: 'Revenue by category', kind: 'bar', by: ['product_category'], measure: 'revenue' }],
    ),
    aggregate(
      'purchases_by_demographics',
      [
        { name: 'age_group', type: 'string' },
        { name: 'education', type: 'string' },
        { name: 'income_category', type: 'string' },
      ],
      [
        { title: 'Revenue by age', kind: 'bar', by: ['age_group'], measure: 'revenue', order: 'name' },
        {
          title: 'Revenue by education',
          kind: 'bar',
          by: ['education'],
          measure: 'revenue',
          order: ['High School', 'Bachelor', 'Master', 'PhD'],
        },
        {
          title: 'Revenue by income',
          kind: 'bar',
          by: ['income_category'],
          measure: 'revenue',
          order: ['Low', 'Middle', 'Upper Middle', 'High'],
        },
      ],
    ),
    aggregate(
      'purchases_by_period',
      [
        { name: 'year', type: 'integer' },
        { name: 'month', type: 'integer' },
      ],
      [{ title: 'Revenue by month', kind: 'line', by: ['year', 'month'], measure: 'revenue' }],
    ),
  ],
  model: {
    name: 'purchase-amount',
    target: 'purchase_amount',
    timeColumn: 'purchased_at',
    groupColumn: 'customer_id',
    features: [
      { name: 'age', kind: 'numeric' },
      { name: 'income', kind: 'numeric' },
      { name: 'education', kind: 'categorical' },
      { name: 'product_category', kind: 'categorical' },
      { name: 'quarter', kind: 'numeric' },
      { name: 'month', kind: 'numeric' },
      { name: 'day_of_week', kind: 'numeric' },
      { name: 'hour', kind: 'numeric' },
      { name: 'is_weekend', kind: 'numeric' },
    ],
  },
  deliver: deliverPurchases,
};

function aggregate(name: string, group: readonly Column[], charts: NonNullable<Aggregate['charts']>): Aggregate {
  return { name, sqlFile: `datasets/purchases/gold/${name}.sql`, columns: [...group, ...measures], charts };
}
