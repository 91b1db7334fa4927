package ccm

import "errors"

// The most people that one record may count before it is taken for a mistake.
const (
	maxArrivalPeople  = 200
	maxDistrictPeople = 500
)

// rules are what the rows of a dataset must obey.
type rules[T any] struct {
	view     string         // where the rows come from
	required string         // the fields that a row must have, in Spanish
	whole    func(T) bool   // reports whether a row has them
	identity func(T) any    // is equal for two rows about the same thing
	describe func(T) string // says in Spanish which row it is; no names
	count    func(T) *Error // finds what is counted wrong; nil: nothing is counted
	mayLack  bool           // whether no row at all is a normal answer
}

// apply returns the whole rows, in their order, and how many it left out.
func (r rules[T]) apply(rows []T) (good []T, skipped int, err error) {
	if len(rows) == 0 && !r.mayLack {
		return nil, 0, fail(CodeMissingRows, "No hay ningún distrito: revise la rama, y que %s tenga datos.", r.view)
	}
	good = make([]T, 0, len(rows))
	seen := make(map[any]struct{}, len(rows))
	for _, row := range rows {
		if !r.whole(row) {
			continue
		}
		identity := r.identity(row)
		if _, twice := seen[identity]; twice && err == nil {
			err = fail(CodeDuplicateRecords, "%s da dos veces el mismo registro: %s.", r.view, r.describe(row))
		}
		if wrong := r.miscount(row); wrong != nil && err == nil {
			err = wrong
		}
		seen[identity] = struct{}{}
		good = append(good, row)
	}
	if len(good) == 0 && len(rows) > 0 {
		err = r.errIncomplete()
	}
	return good, len(rows) - len(good), err
}

func (r rules[T]) miscount(row T) *Error {
	if r.count == nil {
		return nil
	}
	return r.count(row)
}

func (r rules[T]) errIncomplete() error {
	return fail(CodeMissingFields, "Ningún registro de %s tiene los datos obligatorios: %s.", r.view, r.required)
}

// checkPeople says whether n people are too many, or fewer than none.
func checkPeople(code Code, what, whose string, n, most int) *Error {
	if n >= 0 && n <= most {
		return nil
	}
	return fail(code, "%s de %s vale %d; se espera de 0 a %d.", what, whose, n, most)
}

// breaksRules reports whether the database did answer, with data that break the
// rules.
func breaksRules(err error) bool {
	known, ok := errors.AsType[*Error](err)
	return ok && known.Code != CodeDataset
}
