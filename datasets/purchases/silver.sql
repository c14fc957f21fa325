-- Silver's purchases: the good records, with gaps filled, words spelt alike, and time taken apart in UTC.
-- Reads the view "good"; every purchase of it yields one row. Rows come in the order of purchased_at, then purchase_id.
WITH
-- Most words are spelt right, so only the others go through the slow functions.
spelt AS NOT MATERIALIZED (
  SELECT
    * REPLACE (
      CASE
        WHEN education IN ('High School', 'Bachelor', 'Master', 'PhD') THEN education
        ELSE
          CASE lower(regexp_replace(trim(education), '\s+', ' ', 'g'))
            WHEN 'high school' THEN 'High School'
            WHEN 'bachelor' THEN 'Bachelor'
            WHEN 'master' THEN 'Master'
            WHEN 'phd' THEN 'PhD'
            ELSE 'Unknown'
          END
      END AS education,
      CASE
        WHEN payment_method IN ('Credit Card', 'Debit Card', 'PayPal', 'Bank Transfer', 'Gift Card') THEN payment_method
        ELSE
          CASE lower(regexp_replace(trim(payment_method), '\s+', ' ', 'g'))
            WHEN 'credit card' THEN 'Credit Card'
            WHEN 'debit card' THEN 'Debit Card'
            WHEN 'paypal' THEN 'PayPal'
            WHEN 'bank transfer' THEN 'Bank Transfer'
            WHEN 'gift card' THEN 'Gift Card'
            ELSE 'Unknown'
          END
      END AS payment_method,
      -- The expectation category_unknown lets through these categories and no others.
      CASE
        WHEN product_category IN ('Electronics', 'Clothing', 'Food', 'Books', 'Home', 'Sports') THEN product_category
        ELSE
          CASE lower(trim(product_category))
            WHEN 'electronics' THEN 'Electronics'
            WHEN 'clothing' THEN 'Clothing'
            WHEN 'food' THEN 'Food'
            WHEN 'books' THEN 'Books'
            WHEN 'home' THEN 'Home'
            WHEN 'sports' THEN 'Sports'
          END
      END AS product_category,
      coalesce(nullif(trim(city), ''), 'Unknown') AS city,
      coalesce(nullif(trim(product), ''), 'Unknown') AS product
    )
  FROM good
),
medians AS (
  SELECT round(median(age))::INTEGER AS age, median(income) AS income FROM good
),
medians_by_education AS (
  SELECT education, median(income) AS income FROM spelt GROUP BY education
),
filled AS (
  SELECT
    spelt.* REPLACE (
      coalesce(spelt.age, medians.age) AS age,
      coalesce(spelt.income, medians_by_education.income, medians.income) AS income
    ),
    -- The same moment as a time without a zone, which is in UTC whatever the session's time zone is.
    make_timestamp(epoch_us(spelt.purchased_at)) AS moment
  FROM spelt
  JOIN medians_by_education USING (education)
  CROSS JOIN medians
  -- Sorted here, before the rows grow wider: what follows keeps their order.
  ORDER BY spelt.purchased_at, spelt.purchase_id
)
SELECT
  * EXCLUDE (moment),
  moment::DATE AS purchase_date,
  CASE
    WHEN age IS NULL THEN 'Unknown'
    WHEN age < 18 THEN '0-17'
    WHEN age < 25 THEN '18-24'
    WHEN age < 35 THEN '25-34'
    WHEN age < 45 THEN '35-44'
    WHEN age < 55 THEN '45-54'
    WHEN age < 65 THEN '55-64'
    ELSE '65+'
  END AS age_group,
  CASE
    WHEN income IS NULL THEN 'Unknown'
    WHEN income < 30000 THEN 'Low'
    WHEN income < 60000 THEN 'Middle'
    WHEN income < 100000 THEN 'Upper Middle'
    ELSE 'High'
  END AS income_category,
  year(moment)::INTEGER AS year,
  quarter(moment)::INTEGER AS quarter,
  month(moment)::INTEGER AS month,
  isodow(moment)::INTEGER AS day_of_week,
  hour(moment)::INTEGER AS hour,
  isodow(moment) >= 6 AS is_weekend
FROM filled
