-- Districts that arrive in a window of days, and people whose arrival is no
-- date. The branch comes first in WHERE, as it is cheap and may have an index.
-- Parameters: branch, branch (0: every one), first day, last day.
SELECT branch, district, MIN(rdistrict), arrival, departure, COUNT(*), MIN(three_weeks), MIN(status)
FROM (
  SELECT Rama AS rama,
         CAST(Rama AS SIGNED) AS branch,
         TRIM(CAST(Distrito AS CHAR)) COLLATE utf8mb4_general_ci AS district,
         NULLIF(TRIM(RDistrito), '') AS rdistrict,
         CASE WHEN CAST(CCM_llegada AS CHAR) COLLATE utf8mb4_general_ci LIKE '____-__-__%'
              THEN CAST(CCM_llegada AS DATE) END AS arrival,
         CASE WHEN CAST(CCM_salida AS CHAR) COLLATE utf8mb4_general_ci LIKE '____-__-__%'
              THEN CAST(CCM_salida AS DATE) END AS departure,
         tres_semanas = 1 OR TRIM(CAST(tres_semanas AS CHAR)) COLLATE utf8mb4_general_ci
              IN ('true', 'verdadero', 'sí', 'x', 'yes') AS three_weeks,
         Status AS status
  FROM vwMisioneros
) AS people
WHERE (? = 0 OR rama = ?)
  AND (arrival BETWEEN ? AND ? OR COALESCE(MONTH(arrival) * DAYOFMONTH(arrival), 0) = 0)
GROUP BY branch, district, arrival, departure
ORDER BY arrival, branch, district, departure
