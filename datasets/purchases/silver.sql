-- Silver's purchases: the good records with gaps filled, words normalised and time taken apart.
-- Reads the view "good". Times are taken apart in UTC. Rows come in the order of purchase_id.
WITH
spelt AS (
  SELECT
    * REPLACE (
      CASE lower(regexp_replace(trim(education), '\s+', ' ', 'g'))
        WHEN 'high school' THEN 'High School'
        WHEN 'bachelor' THEN 'Bachelor'
        WHEN 'master' THEN 'Master'
        WHEN 'phd' THEN 'PhD'
        ELSE 'Unknown'
      END AS education,
      CASE lower(regexp_replace(trim(payment_method), '\s+', ' ', 'g'))
        WHEN 'credit card' THEN 'Credit Card'
        WHEN 'debit card' THEN 'Debit Card'
        WHEN 'paypal' THEN 'PayPal'
        WHEN 'bank transfer' THEN 'Bank Transfer'
        WHEN 'gift card' THEN 'Gift Card'
        ELSE 'Unknown'
      END AS payment_method,
      CASE lower(trim(product_category))
        WHEN 'electronics' THEN 'Electronics'
        WHEN 'clothing' THEN 'Clothing'
        WHEN 'food' THEN 'Food'
        WHEN 'books' THEN 'Books'
        WHEN 'home' THEN 'Home'
        WHEN 'sports' THEN 'Sports'
      END AS product_category,
      coalesce(nullif(trim(city), ''), 'Unknown') AS city,
      coalesce(nullif(trim(product), ''), 'Unknown') AS product
    ),
    make_timestamp(epoch_us(purchased_at)) AS moment
  FROM good
),
ages AS (
  SELECT round(median(age))::INTEGER AS age FROM spelt
),
incomes AS (
  SELECT median(income) AS income FROM spelt
),
incomes_by_education AS (
  SELECT education, median(income) AS income FROM spelt GROUP BY education
),
filled AS (
  SELECT
    spelt.* REPLACE (
      coalesce(spelt.age, ages.age) AS age,
      coalesce(spelt.income, incomes_by_education.income, incomes.income) AS income
    )
  FROM spelt
  JOIN incomes_by_education USING (education)
  CROSS JOIN ages
  CROSS JOIN incomes
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
ORDER BY purchase_id
