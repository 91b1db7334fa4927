-- A database that is not ours: other table names, dates as text and DATETIME,
-- numbers as text, more columns than we know, and the two views on top.
CREATE TABLE personas (
  clave VARCHAR(12) NOT NULL PRIMARY KEY,
  clase VARCHAR(5),
  unidad VARCHAR(10),
  letra CHAR(3),
  quien VARCHAR(190),
  entra DATETIME NULL,
  sale VARCHAR(30),
  nacio VARCHAR(30),
  programa_corto VARCHAR(5),
  notas JSON,
  tocado TIMESTAMP NULL
) DEFAULT CHARSET = utf8mb4;
CREATE TABLE cosas_ajenas (id INT PRIMARY KEY, valor DECIMAL(12, 4));
CREATE VIEW vwMisioneros AS
SELECT clave AS ID, clase AS Tipo, unidad AS Rama, letra AS Distrito, CONCAT(unidad, letra) AS RDistrito,
  NULL AS Tratamiento, quien AS Nombre_del_misionero, entra AS CCM_llegada, sale AS CCM_salida,
  nacio AS Fecha_nacimiento, TIMESTAMPDIFF(YEAR, nacio, CURDATE()) AS Edad,
  CASE WHEN CURDATE() < DATE(entra) THEN 'Virtual' ELSE 'CCM' END AS Status,
  programa_corto AS tres_semanas, 'x@example.org' AS Correo_Misional, NULL AS Correo_Personal, notas AS Notas
FROM personas;
CREATE VIEW vwFechasCCMPorDistrito AS
SELECT unidad AS Rama, letra AS Distrito, MIN(entra) AS Primera_Generacion, MIN(entra) AS Primera_CCM_llegada,
  MAX(sale) AS Ultima_CCM_salida, CAST(COUNT(*) AS CHAR) AS Total_Misioneros
FROM personas GROUP BY unidad, letra;
INSERT INTO cosas_ajenas VALUES (1, 3.1416), (2, NULL);
