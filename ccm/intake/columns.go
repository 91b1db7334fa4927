package intake

import (
	"slices"
	"strings"
	"unicode"
)

// kind is what a column holds.
type kind uint8

const (
	text kind = iota
	country
	integer
	boolean
	date
)

// column is one of a workbook and of the table.
type column struct {
	header string // in the workbook
	name   string // in the table
	kind   kind
}

// columns are in the order of the workbook, which counts where it has no headers.
var columns = []column{
	{"ID", "id", integer},
	{"iddistric", "id_distrito", text},
	{"Tipo", "tipo", text},
	{"Rama", "rama", integer},
	{"Distrito", "distrito", text},
	{"Pais", "pais", country},
	{"Numero_de_lista", "numero_lista", integer},
	{"Numero_de_companerismo", "numero_companerismo", integer},
	{"Nombre_del_misionero", "nombre_misionero", text},
	{"Companero", "companero", text},
	{"Mision_asignada", "mision_asignada", text},
	{"Estaca", "estaca", text},
	{"Hospedaje", "hospedaje", text},
	{"foto", "foto", text},
	{"llego", "fecha_llegada", date},
	{"salida", "fecha_salida", date},
	{"Generacion", "fecha_generacion", date},
	{"Comentarios", "comentarios", text},
	{"Investido", "investido", boolean},
	{"Cumpleanos", "fecha_nacimiento", date},
	{"FotoN", "foto_tomada", boolean},
	{"Pasaporte", "pasaporte", boolean},
	{"Folio_P", "folio_pasaporte", text},
	{"FM", "fm", text},
	{"iPad", "ipad", boolean},
	{"Closet", "closet", text},
	{"llego2", "llegada_secundaria", text},
	{"Pday", "pday", text},
	{"Host", "host", boolean},
	{"tres_semanas", "tres_semanas", boolean},
	{"Device", "device", boolean},
	{"Correo_Misional", "correo_misional", text},
	{"Correo_Personal", "correo_personal", text},
	{"Fecha_Presencial", "fecha_presencial", date},
}

// The columns that mean something to the load itself.
var (
	idColumn     = position("id")
	kindColumn   = position("tipo")
	branchColumn = position("rama")
	nameColumn   = position("nombre_misionero")
)

// The columns of the table that no workbook has.
const (
	treatmentName = "tratamiento"
	activeName    = "activo"
	createdName   = "created_at"
	updatedName   = "updated_at"
)

func position(name string) int {
	return slices.IndexFunc(columns, func(c column) bool { return c.name == name })
}

// fold is a header without what people write differently: case, accents, blanks
// and signs.
func fold(header string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(header) {
		if plain := strings.IndexRune("áéíóúüñ", r); plain >= 0 {
			r = rune("aeiouun"[plain/len("á")])
		}
		if unicode.IsLetter(r) || unicode.IsDigit(r) { // a combining accent is neither
			b.WriteRune(r)
		}
	}
	return b.String()
}

// byHeader are the columns by their folded header.
var byHeader = func() map[string]int {
	all := make(map[string]int, len(columns))
	for i, c := range columns {
		all[fold(c.header)] = i
	}
	return all
}()
