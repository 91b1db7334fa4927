package storetest

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/store/migrate"
)

func testRights(t *testing.T, empty Empty) {
	t.Run("a user who only reads the views is enough, and what he cannot see is said", func(t *testing.T) {
		is := is.New(t)
		raw := reference(t, empty, person{id: 1, branch: 14, name: "Uno", generation: "2020-01-01", birth: "2000-01-01"})
		s := open(t, store.Config{URL: reader(t, raw, "vwMisioneros", "vwFechasCCMPorDistrito")})
		is.NoErr(s.Check(t.Context()))
		got, err := s.Birthdays(t.Context(), window(14, "2026-01-01", 0))
		is.NoErr(err)
		is.Equal(len(got), 1)
		found, err := s.Inspect(t.Context())
		is.NoErr(err)
		is.True(!found.CanWrite)
		is.True(!found.CanShowView)
		is.Equal(found.MissingIndexes, nil)
		is.Equal(len(found.Notes), 2) // one a view
	})
	t.Run("a user who may read nothing is denied, and what to grant is said", func(t *testing.T) {
		is := is.New(t)
		s := open(t, store.Config{URL: reader(t, reference(t, empty), "ccm_generaciones")})
		err := s.Check(t.Context())
		is.True(errors.Is(err, store.ErrDenied))
		is.True(strings.Contains(err.Error(), "conceda SELECT sobre las vistas"))
		_, err = s.Arrivals(t.Context(), window(14, "2026-01-01", 0))
		is.True(errors.Is(err, store.ErrDenied))
	})
	t.Run("a user who may not create cannot migrate", func(t *testing.T) {
		is := is.New(t)
		_, err := migrate.Up(t.Context(), reader(t, empty(t), "*"))
		is.True(errors.Is(err, store.ErrDenied))
	})
}

// reader makes a user who may read some tables and nothing else.
func reader(t *testing.T, raw string, tables ...string) string {
	t.Helper()
	db := connect(t, raw)
	return change(t, raw, func(u *url.URL) {
		name, schema := "lector"+time.Now().Format("150405.000000")[7:], u.Path[1:]
		exec(t, db, "CREATE USER '"+name+"'@'%' IDENTIFIED BY 'solo-leer'")
		t.Cleanup(func() { exec(t, connect(t, raw), "DROP USER '"+name+"'@'%'") })
		for _, table := range tables {
			exec(t, db, "GRANT SELECT ON `"+schema+"`."+table+" TO '"+name+"'@'%'")
		}
		u.User = url.UserPassword(name, "solo-leer")
	})
}
