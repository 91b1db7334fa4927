-- Each district of a branch, with its elders and sisters counted by Tipo.
-- Parameters: branch, branch, branch, branch (0: every one).
SELECT districts.branch, districts.district, first_generation, first_arrival, last_departure, people, elders, sisters
FROM (
  SELECT CAST(Rama AS SIGNED) AS branch,
         TRIM(CAST(Distrito AS CHAR)) COLLATE utf8mb4_general_ci AS district,
         CASE WHEN CAST(Primera_Generacion AS CHAR) COLLATE utf8mb4_general_ci LIKE '____-__-__%'
              THEN CAST(Primera_Generacion AS DATE) END AS first_generation,
         CASE WHEN CAST(Primera_CCM_llegada AS CHAR) COLLATE utf8mb4_general_ci LIKE '____-__-__%'
              THEN CAST(Primera_CCM_llegada AS DATE) END AS first_arrival,
         CASE WHEN CAST(Ultima_CCM_salida AS CHAR) COLLATE utf8mb4_general_ci LIKE '____-__-__%'
              THEN CAST(Ultima_CCM_salida AS DATE) END AS last_departure,
         Total_Misioneros AS people
  FROM vwFechasCCMPorDistrito
  WHERE ? = 0 OR Rama = ?
) AS districts
LEFT JOIN (
  SELECT CAST(Rama AS SIGNED) AS branch,
         TRIM(CAST(Distrito AS CHAR)) COLLATE utf8mb4_general_ci AS district,
         SUM(CAST(Tipo AS CHAR) COLLATE utf8mb4_general_ci LIKE 'Eld%') AS elders,
         SUM(CAST(Tipo AS CHAR) COLLATE utf8mb4_general_ci LIKE 'Sis%'
             OR CAST(Tipo AS CHAR) COLLATE utf8mb4_general_ci LIKE 'Her%') AS sisters
  FROM vwMisioneros
  WHERE ? = 0 OR Rama = ?
  GROUP BY branch, district
) AS kinds
  ON kinds.branch <=> districts.branch AND kinds.district <=> districts.district
ORDER BY districts.branch, districts.district
