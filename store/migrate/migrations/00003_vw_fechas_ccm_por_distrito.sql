-- First and last dates of each district of each branch.
-- +goose Up
CREATE OR REPLACE VIEW vwFechasCCMPorDistrito AS
SELECT rama AS Rama,
       distrito AS Distrito,
       MIN(fecha_generacion) AS Primera_Generacion,
       MIN(COALESCE(fecha_presencial, fecha_llegada)) AS Primera_CCM_llegada,
       MAX(fecha_salida) AS Ultima_CCM_salida,
       COUNT(*) AS Total_Misioneros
FROM ccm_generaciones
WHERE activo = 1
GROUP BY rama, distrito;
