package httpapi

import (
	"github.com/danielgtaylor/huma/v2"

	"github.com/ccmwf/ccm/ccm/intake"
)

const tagLoad = "Carga"

func describeExtraction(d *describer) *huma.Operation {
	return &huma.Operation{
		OperationID: "extraerGeneracion",
		Summary:     "Carga una generación desde Google Drive",
		Description: "Los libros .xlsx de la generación pasan a la tabla de personas. Las nuevas se insertan, las que ya están se dejan como están o, con force, " +
			"se cambian donde difieren; nunca se borra nada. Cada libro se carga entero o no se carga, y repetir la petición da lo mismo. " +
			"Hay una carga a la vez entre todas las réplicas; si quien la pide cuelga, la carga sigue.",
		Tags: []string{tagLoad},
		RequestBody: d.body(extractionFields, true,
			sample{"usual", "La generación de la semana, de la carpeta de costumbre", map[string]any{"fecha_generacion": "20261127"}},
			sample{"simulada", "Qué pasaría, en otra carpeta", map[string]any{"fecha_generacion": "20261127", "drive_folder_id": "1AbCdEfGhIjKlMnOp", "force": true, "dry_run": true}}),
		Responses: responses{
			"200": d.answer("Se cargó", extractionDone),
			"400": d.problem(brokenJSONSample),
			"404": d.answer(titles[404], stoppedExtraction("sin_libros", "La carpeta no tiene libros de esa generación", "no_workbooks",
				"la carpeta no tiene ningún libro .xlsx de la generación 20261127: su nombre, o el de su carpeta, debe llevar esa fecha como AAAAMMDD")),
			"408": d.problem(slowBodySample),
			"409": d.problem(problemSample("carga_en_curso", "Hay otra carga en curso", errLoadBusy)),
			"413": d.problem(largeBodySample),
			"415": d.problem(mediaTypeSample),
			"422": d.problem(faultsSample(extractionFields, "body", map[string]any{"force": "quizá"})),
			"502": d.answer(titles[502], stoppedExtraction("drive", "Drive no se pudo leer", "drive_listing_failed",
				"no se pudo leer la carpeta: no existe, o no está compartida con la cuenta de las credenciales: compártala con ella como lector")),
			"503": d.failure(503, []sample{stoppedExtraction("permiso", "Falta un permiso en la base de datos", "db_insert_failed",
				"al usuario de DATABASE_URL le falta el permiso INSERT sobre la tabla: conceda «GRANT INSERT ON BASE.ccm_generaciones TO 'USUARIO'@'HOST';», con los nombres suyos")},
				problemSample("sin_base", "No hay base de datos", errNoDatabase)),
			"504": d.problem(problemSample("sigue", "La carga sigue", errLoadGoesOn)),
		},
	}
}

var extractionDone = sample{"cargada", "Se cargó, y de una persona falta una fecha", extraction{true, intake.Report{
	Generation: "20261127", Folder: "1AbCdEfGhIjKlMnOp", Inserted: 44, Skipped: 1, ErrorCount: 1, DurationSeconds: 1.9,
	Files: []intake.FileReport{{ID: "1XyZ", Name: "20261127_rama14.xlsx", Rows: 45, Inserted: 44, Skipped: 1}},
	Errors: []intake.Issue{{Code: "invalid_date", File: "20261127_rama14.xlsx", Row: 12, Column: "T (Cumpleanos)",
		Message: "debe ser una fecha de 1900 a 2199, como 27/11/2026 o 2026-11-27"}},
}, sampleID}}

func stoppedExtraction(name, summary, code, message string) sample {
	return sample{name, summary, extraction{false, intake.Report{
		Generation: "20261127", Folder: "1AbCdEfGhIjKlMnOp", Files: []intake.FileReport{}, ErrorCount: 1, DurationSeconds: 0.4,
		Errors: []intake.Issue{{Code: code, Message: message}},
	}, sampleID}}
}
