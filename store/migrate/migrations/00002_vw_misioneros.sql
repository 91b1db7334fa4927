-- Missionaries with their status of today. Today is DATE(NOW()), not
-- CURDATE(): go-mysql-server minds the session's time_zone only in the former.
-- +goose Up
CREATE OR REPLACE VIEW vwMisioneros AS
SELECT id AS ID,
       tipo AS Tipo,
       rama AS Rama,
       distrito AS Distrito,
       CONCAT(rama, distrito) AS RDistrito,
       tratamiento AS Tratamiento,
       nombre_misionero AS Nombre_del_misionero,
       COALESCE(fecha_presencial, fecha_llegada) AS CCM_llegada,
       fecha_salida AS CCM_salida,
       fecha_nacimiento AS Fecha_nacimiento,
       TIMESTAMPDIFF(YEAR, fecha_nacimiento, DATE(NOW())) AS Edad,
       CASE WHEN DATE(NOW()) < fecha_generacion THEN 'Futuro'
            WHEN DATE(NOW()) < COALESCE(fecha_presencial, fecha_llegada) THEN 'Virtual'
            WHEN fecha_salida IS NULL OR DATE(NOW()) <= fecha_salida THEN 'CCM'
            ELSE 'Campo' END AS Status,
       tres_semanas AS tres_semanas,
       correo_misional AS Correo_Misional,
       correo_personal AS Correo_Personal
FROM ccm_generaciones
WHERE activo = 1;
