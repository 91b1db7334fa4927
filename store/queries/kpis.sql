-- The figures of each district. Parameters: branch, branch (0: every one).
SELECT branch, district,
       COUNT(*),
       SUM(status = 'CCM'),
       SUM(status = 'Virtual'),
       SUM(status = 'Futuro'),
       SUM(three_weeks)
FROM (
  SELECT CAST(Rama AS SIGNED) AS branch,
         TRIM(CAST(Distrito AS CHAR)) COLLATE utf8mb4_general_ci AS district,
         TRIM(CAST(Status AS CHAR)) COLLATE utf8mb4_general_ci AS status,
         tres_semanas = 1 OR TRIM(CAST(tres_semanas AS CHAR)) COLLATE utf8mb4_general_ci
              IN ('true', 'verdadero', 'sí', 'x', 'yes') AS three_weeks
  FROM vwMisioneros
  WHERE ? = 0 OR Rama = ?
) AS people
GROUP BY branch, district
ORDER BY branch, district
