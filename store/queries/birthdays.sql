-- People whose birthday, as month * 100 + day, is in one of two ranges, and
-- people whose birth is no date or not in the past. Go works out the next
-- birthday and takes the window's ends exactly; the ranges here are a little
-- wider and only keep the other people at the server.
-- Parameters: branch, branch (0: every one), number of statuses (0: all),
-- statuses joined by commas, first and last of each range, first day of the
-- window.
SELECT id, branch, district, kind, treatment, name, birth, status, email_mission, email_personal, three_weeks
FROM (
  SELECT ID AS id,
         Rama AS branch,
         Distrito AS district,
         Tipo AS kind,
         Tratamiento AS treatment,
         Nombre_del_misionero AS name,
         CASE WHEN CAST(Fecha_nacimiento AS CHAR) COLLATE utf8mb4_general_ci LIKE '____-__-__%'
              THEN CAST(Fecha_nacimiento AS DATE) END AS birth,
         Status AS status,
         Correo_Misional AS email_mission,
         Correo_Personal AS email_personal,
         tres_semanas = 1 OR TRIM(CAST(tres_semanas AS CHAR)) COLLATE utf8mb4_general_ci
              IN ('true', 'verdadero', 'sí', 'x', 'yes') AS three_weeks
  FROM vwMisioneros
) AS people
WHERE (? = 0 OR branch = ?)
  AND (? = 0 OR FIND_IN_SET(TRIM(CAST(status AS CHAR)) COLLATE utf8mb4_general_ci, ?) > 0)
  AND (MONTH(birth) * 100 + DAYOFMONTH(birth) BETWEEN ? AND ?
       OR MONTH(birth) * 100 + DAYOFMONTH(birth) BETWEEN ? AND ?
       OR COALESCE(MONTH(birth) * DAYOFMONTH(birth), 0) = 0
       OR birth >= ?)
ORDER BY district, name, id
