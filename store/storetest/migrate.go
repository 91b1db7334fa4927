package storetest

import (
	"errors"
	"sync"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/store/migrate"
)

func testMigrate(t *testing.T, empty Empty) {
	t.Run("looking at an empty database changes nothing", func(t *testing.T) {
		is := is.New(t)
		url := empty(t)
		status, err := migrate.Inspect(t.Context(), url)
		is.NoErr(err)
		is.Equal(status.State, migrate.Empty)
		is.Equal(status.Pending(), len(status.Migrations))
		is.True(status.Pending() > 0)
		is.Equal(dump(t, url), "")
	})
	t.Run("an empty database becomes ours and a second run changes nothing", func(t *testing.T) {
		is := is.New(t)
		url := empty(t)
		status, err := migrate.Up(t.Context(), url)
		is.NoErr(err)
		is.Equal(status.State, migrate.Ours)
		is.Equal(status.Pending(), 0)
		is.NoErr(open(t, store.Config{URL: url}).Check(t.Context()))
		before := dump(t, url)
		again, err := migrate.Up(t.Context(), url)
		is.NoErr(err)
		is.Equal(again, status)
		is.Equal(dump(t, url), before)
	})
	testMigrateAmongOthers(t, empty)
}

// testMigrateAmongOthers is of runs that are not alone: with others at the same
// time, after one that was cut, beside tables of somebody else.
func testMigrateAmongOthers(t *testing.T, empty Empty) {
	t.Run("replicas that start together all succeed", func(t *testing.T) {
		is := is.New(t)
		url := empty(t)
		var wait sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			wait.Go(func() { _, errs[i] = migrate.Up(t.Context(), url) })
		}
		wait.Wait()
		is.NoErr(errors.Join(errs...))
		is.Equal(rows(t, connect(t, url), "SELECT COUNT(*) FROM ccm_migraciones WHERE version_id > 0"), []string{"3"})
	})
	t.Run("a run that was cut is finished by the next", func(t *testing.T) {
		is := is.New(t)
		url := reference(t, empty)
		db := connect(t, url)
		exec(t, db, "DROP VIEW vwFechasCCMPorDistrito")
		exec(t, db, "DELETE FROM ccm_migraciones WHERE version_id >= 2")
		status, err := migrate.Inspect(t.Context(), url)
		is.NoErr(err)
		is.Equal(status.State, migrate.Ours)
		is.Equal(status.Pending(), 2)
		status, err = migrate.Up(t.Context(), url)
		is.NoErr(err)
		is.Equal(status.Pending(), 0)
	})
	t.Run("other tables stay beside ours", func(t *testing.T) {
		is := is.New(t)
		url := empty(t)
		db := connect(t, url)
		exec(t, db, "CREATE TABLE otra (id INT PRIMARY KEY)")
		exec(t, db, "INSERT INTO otra VALUES (1)")
		status, err := migrate.Up(t.Context(), url)
		is.NoErr(err)
		is.Equal(status.State, migrate.Ours)
		is.Equal(rows(t, db, "SELECT id FROM otra"), []string{"1"})
	})
}

func testAdopted(t *testing.T, empty Empty) {
	t.Run("views that are not ours are left as they are", func(t *testing.T) {
		is := is.New(t)
		url := empty(t)
		run(t, connect(t, url), foreignSchema)
		before := dump(t, url)
		status, err := migrate.Up(t.Context(), url)
		is.NoErr(err)
		is.Equal(status.State, migrate.Adopted)
		is.Equal(status.Pending(), 0)
		is.Equal(dump(t, url), before)
	})
	t.Run("a name that is taken is refused and kept", func(t *testing.T) {
		is := is.New(t)
		url := empty(t)
		exec(t, connect(t, url), "CREATE TABLE ccm_generaciones (otra_cosa INT PRIMARY KEY)")
		before := dump(t, url)
		status, err := migrate.Up(t.Context(), url)
		is.True(errors.Is(err, migrate.ErrOccupied))
		is.Equal(status.State, migrate.Occupied)
		is.Equal(status.Taken, []string{"ccm_generaciones"})
		is.Equal(dump(t, url), before)
	})
}
