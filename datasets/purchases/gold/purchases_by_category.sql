-- What is sold of each product category.
-- Reads the view "silver". Revenue is summed in whole cents, so that the order of the rows cannot change it.
SELECT
  product_category,
  count(*) AS purchases,
  count(DISTINCT customer_id) AS customers,
  sum(purchase_amount::DECIMAL(18, 2))::DOUBLE AS revenue,
  sum(purchase_amount::DECIMAL(18, 2))::DOUBLE / count(*) AS average,
  median(purchase_amount) AS median
FROM silver
GROUP BY ALL
ORDER BY product_category
