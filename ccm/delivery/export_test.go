package delivery

// Classify shows tests what becomes of an error.
func Classify(op string, err error) error { return classify(op, err) }

// ListQuery is what List asks.
var ListQuery = listQuery

// Statements are those that look for rows by something else than their name.
var Statements = map[string]string{
	"by key":     selectWhole + byKey,
	"abandoned":  selectAbandoned,
	"old texts":  selectOld + oldTexts + limited,
	"texts left": selectOld + leftTexts + limited,
	"old rows":   selectOld + oldRows + limited,
}
