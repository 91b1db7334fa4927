package intake_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm/intake"
	"github.com/ccmwf/ccm/ccm/intake/internal/books"
	"github.com/ccmwf/ccm/docker/testenv"
	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/store/migrate"
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		child()
		return
	}
	testenv.Main(m)
}

// servers are the databases that every test of the load runs on.
var servers = map[string]func(testing.TB) string{"MySQL": testenv.MySQL, "MariaDB": testenv.MariaDB}

// onEach runs a test on an empty reference schema of each server.
func onEach(t *testing.T, test func(t *testing.T, address string)) {
	for name, empty := range servers {
		t.Run(name, func(t *testing.T) {
			address := empty(t)
			if _, err := migrate.Up(t.Context(), address); err != nil {
				t.Fatal(err)
			}
			test(t, address)
		})
	}
}

func TestLoads(t *testing.T) { onEach(t, testLoads) }

func testLoads(t *testing.T, address string) {
	is := is.New(t)
	var told []int
	l := open(t, intake.Config{Store: store.Config{URL: address}, Invalidate: func(_ context.Context, branch int) error {
		told = append(told, branch)
		return nil
	}})
	path := books.People(t, "uno.xlsx", 1, 1200)

	// A dry run tells what would be, and does nothing.
	dry, err := l.Files(t.Context(), intake.Options{DryRun: true}, path, path)
	is.NoErr(err)
	is.Equal(dry.Inserted, 1200)
	is.Equal(dry.Skipped, 1200) // the second time they would be there
	is.Equal(len(dry.Files[0].NewIDs), intake.MaxIDs)
	is.Equal(dry.Files[0].NewIDs[0], int64(1))
	is.Equal(len(dump(t, address)), 0)
	is.Equal(told, nil)

	// New ids are inserted, and the cache is told of their branches.
	done, err := l.Files(t.Context(), intake.Options{}, path)
	is.NoErr(err)
	is.Equal(done.Errors, []intake.Issue{})
	is.True(done.Complete())
	is.Equal(done.Inserted, 1200)
	is.Equal(done.Files, []intake.FileReport{{Name: "uno.xlsx", Rows: 1200, Inserted: 1200}})
	is.Equal(told, []int{14})
	age(t, address)
	first := dump(t, address)
	is.Equal(first[0], "1|14A|Elder|14|A|México|1|1|Elder|Persona 1 de Ejemplo|Persona 2 de Ejemplo|Misión Guatemala Central|Estaca Monterrey Norte|Casa 4|"+
		"https://fotos.example.org/1|2026-11-30|2027-01-11|2026-11-27|Comentario número 1 de esta persona|1|2007-03-04|1|0|G00000001|FM 12|1|C-4|tarde|lunes|0|0|1|"+
		"p1@mision.example.org|p1@casa.example.org|2026-12-01|1|2020-01-02 00:00:00|2020-01-02 00:00:00")

	// Again: known ids are skipped, equal rows are not touched by force either.
	for _, force := range []bool{false, true} {
		again, err := l.Files(t.Context(), intake.Options{Force: force}, path)
		is.NoErr(err)
		is.Equal(again.Skipped, 1200)
		is.Equal(again.Inserted+again.Updated, 0)
		is.Equal(dump(t, address), first)
	}
	is.Equal(len(told), 1)

	// What differs is skipped, and updated by force, that row and column alone.
	changed := books.Make(t, "dos.xlsx", []any{"ID", "Nombre_del_misionero", "Rama", "Cumpleanos", "iPad"},
		[]any{1, "Persona 1 de Ejemplo", 14, 39145, "sí"},
		[]any{2, "Persona 2 de Ejemplo", 9, nil, "no"},
		[]any{3, "Persona 3 de Ejemplo", "ilegible", 39145, "sí"})
	skipped, err := l.Files(t.Context(), intake.Options{}, changed)
	is.NoErr(err)
	is.Equal(skipped.Skipped, 3)
	is.Equal(dump(t, address), first)
	dry, err = l.Files(t.Context(), intake.Options{Force: true, DryRun: true}, changed)
	is.NoErr(err)
	is.Equal(dry.Files[0].ChangedIDs, []int64{2})
	is.Equal(dump(t, address), first)
	forced, err := l.Files(t.Context(), intake.Options{Force: true}, changed)
	is.NoErr(err)
	is.Equal([]int{forced.Updated, forced.Skipped, forced.ErrorCount}, []int{1, 2, 1})
	is.Equal(told[1:], []int{9, 14}) // where she was and where she is
	now := dump(t, address)
	is.Equal(now[0], first[0])
	is.Equal(now[2], first[2]) // a cell that cannot be read keeps what is there
	was, is2 := strings.Split(first[1], "|"), strings.Split(now[1], "|")
	var differ []string
	for i := range was {
		if was[i] != is2[i] {
			differ = append(differ, was[i]+"→"+is2[i])
		}
	}
	is.Equal(differ[:3], []string{"14→9", "2007-03-04→", "1→0"})
	is.Equal(len(differ), 4) // and updated_at
}

// TestKeepsTheOthers has one bad workbook among good ones.
func TestKeepsTheOthers(t *testing.T) { onEach(t, testKeepsTheOthers) }

func testKeepsTheOthers(t *testing.T, address string) {
	is := is.New(t)
	l := open(t, intake.Config{Store: store.Config{URL: address}})
	bad := books.Make(t, "malo.xlsx", []any{"nada"})
	cut := books.People(t, "cortado.xlsx", 3001, 8000) // sound until nearly its end
	damageEnd(t, cut)
	done, err := l.Files(t.Context(), intake.Options{}, books.People(t, "a.xlsx", 1, 10), bad, cut, books.People(t, "b.xlsx", 6, 20))
	is.NoErr(err)
	is.True(!done.Complete())
	is.Equal([]int{done.Inserted, done.Skipped, len(done.Files)}, []int{20, 5, 2})
	is.Equal(len(done.Errors), 2)
	for i, name := range []string{"malo.xlsx", "cortado.xlsx"} {
		is.Equal(done.Errors[i].Code, "excel_read_failed")
		is.Equal(done.Errors[i].File, name)
	}
	is.Equal(len(dump(t, address)), 20) // of the one that was cut, nothing
}

func TestOneAtATime(t *testing.T) { onEach(t, testOneAtATime) }

func testOneAtATime(t *testing.T, address string) {
	is := is.New(t)
	first, second := open(t, intake.Config{Store: store.Config{URL: address}}), open(t, intake.Config{Store: store.Config{URL: address}})
	path := books.People(t, "uno.xlsx", 1, 10)
	var inner error
	_, err := first.Files(t.Context(), intake.Options{Progress: func(intake.Progress) {
		if inner == nil {
			_, inner = second.Files(t.Context(), intake.Options{}, path)
		}
	}}, path)
	is.NoErr(err)
	is.True(errors.Is(inner, intake.ErrBusy))
	is.Equal(inner.Error(), "ya hay otra carga en curso: espere a que termine")
	again, err := second.Files(t.Context(), intake.Options{}, path) // the lock is free again
	is.NoErr(err)
	is.Equal(again.Skipped, 10)
}

func TestStopsWithItsCaller(t *testing.T) { onEach(t, testStopsWithItsCaller) }

func testStopsWithItsCaller(t *testing.T, address string) {
	is := is.New(t)
	l := open(t, intake.Config{Store: store.Config{URL: address}})
	ctx, cancel := context.WithCancel(t.Context())
	path := books.People(t, "uno.xlsx", 1, 3000)
	stopped, err := l.Files(ctx, intake.Options{Progress: func(p intake.Progress) {
		if p.Rows >= 1000 {
			cancel()
		}
	}}, path, path)
	is.True(errors.Is(err, context.Canceled))
	is.Equal(stopped.Errors[0].Message, "la carga se interrumpió: el libro que estaba a medias no se cargó")
	is.Equal(len(dump(t, address)), 0)
	done, err := l.Files(t.Context(), intake.Options{}, path)
	is.NoErr(err)
	is.Equal(done.Inserted, 3000)
}

// TestSaysWhatToGrant asks users who may do less than the load needs.
func TestSaysWhatToGrant(t *testing.T) { onEach(t, testSaysWhatToGrant) }

func testSaysWhatToGrant(t *testing.T, address string) {
	path := books.People(t, "uno.xlsx", 1, 3)
	for _, c := range []struct {
		rights  string
		force   bool
		missing string // "": it works
	}{
		{"SELECT", false, "GRANT INSERT ON BASE.ccm_generaciones TO 'USUARIO'@'HOST';"},
		{"INSERT", false, "GRANT SELECT ON BASE.ccm_generaciones TO"},
		{"SELECT, INSERT", true, "GRANT UPDATE ON BASE.ccm_generaciones TO"},
		{"SELECT, INSERT", false, ""},
		{"SELECT, INSERT, UPDATE", true, ""},
	} {
		t.Run(c.rights+" "+c.missing, func(t *testing.T) {
			is := is.New(t)
			l := open(t, intake.Config{Store: store.Config{URL: user(t, address, c.rights)}})
			for _, dry := range []bool{true, false} {
				done, err := l.Files(t.Context(), intake.Options{Force: c.force, DryRun: dry}, path)
				if c.missing == "" {
					is.NoErr(err)
					continue
				}
				is.True(errors.Is(err, store.ErrDenied))
				is.True(strings.Contains(err.Error(), c.missing))
				is.Equal(done.Errors[0].Code, "db_insert_failed")
			}
		})
	}
}

// TestADatabaseThatTakesNoMore has a server that was made a replica, and a table
// that has no room, which MySQL tells as it does a full disk.
func TestADatabaseThatTakesNoMore(t *testing.T) {
	address := testenv.NewMySQL(t).URL()
	_, err := migrate.Up(t.Context(), address)
	is.New(t).NoErr(err)
	l := open(t, intake.Config{Store: store.Config{URL: address}})
	path := books.People(t, "uno.xlsx", 1, 50)
	for _, c := range []struct {
		begin, end []string
		kind       error
		says       string
	}{
		{[]string{"SET GLOBAL super_read_only = ON"}, []string{"SET GLOBAL super_read_only = OFF"}, store.ErrReadOnly, "ponga en DATABASE_URL la que las admite"},
		{
			[]string{"SET GLOBAL max_heap_table_size = 16384", "ALTER TABLE ccm_generaciones MODIFY comentarios VARCHAR(100), ENGINE = MEMORY"},
			[]string{"SET GLOBAL max_heap_table_size = DEFAULT", "TRUNCATE ccm_generaciones", "ALTER TABLE ccm_generaciones ENGINE = InnoDB"},
			store.ErrFull, "haga sitio y repita la carga",
		},
	} {
		t.Run(c.kind.Error(), func(t *testing.T) {
			is := is.New(t)
			for _, query := range c.begin {
				execute(t, address, query)
			}
			report, err := l.Files(t.Context(), intake.Options{}, path)
			is.True(errors.Is(err, c.kind))
			is.Equal(report.Errors[0].Code, "db_insert_failed")
			is.True(strings.Contains(report.Errors[0].Message, c.says))
			for _, query := range c.end {
				execute(t, address, query)
			}
			report, err = l.Files(t.Context(), intake.Options{}, path) // as it was told to
			is.NoErr(err)
			is.Equal(report.Inserted, 50)
			execute(t, address, "DELETE FROM ccm_generaciones")
		})
	}
}

// TestAdopted loads into a table as the Python service made it, with less and
// more than ours.
func TestAdopted(t *testing.T) {
	for name, empty := range servers {
		t.Run(name, func(t *testing.T) { testAdopted(t, empty(t)) })
	}
}

func testAdopted(t *testing.T, address string) {
	is := is.New(t)
	l := open(t, intake.Config{Store: store.Config{URL: address}})
	path := books.Make(t, "uno.xlsx", []any{"ID", "Nombre_del_misionero", "Rama", "Distrito", "Comentarios", "iPad", "Cumpleanos", "Device"},
		[]any{1, "Uno", 14, "A", "corto", "sí", 39145, "sí"},
		[]any{2, "Dos", 14, nil, strings.Repeat("ñ", 1025), "no", 39145, "sí"},
		[]any{3, "Tres", 14, "A", strings.Repeat("ñ", 1024), nil, nil, "sí"})

	_, err := l.Files(t.Context(), intake.Options{}, path)
	is.True(errors.Is(err, store.ErrSchema))
	is.True(strings.Contains(err.Error(), "no tiene la tabla ccm_generaciones"))

	execute(t, address, `CREATE TABLE ccm_generaciones (id INT PRIMARY KEY, nombre_misionero VARCHAR(255) NOT NULL, rama VARCHAR(8), distrito VARCHAR(255) NOT NULL,
		tratamiento VARCHAR(255), comentarios VARCHAR(1024), ipad BIT(1), fecha_nacimiento DATETIME, otra INT DEFAULT 7,
		activo TINYINT(1), created_at DATETIME NOT NULL, updated_at DATETIME NOT NULL) CHARACTER SET utf8mb4`)
	done, err := l.Files(t.Context(), intake.Options{}, path)
	is.NoErr(err)
	is.Equal([]int{done.Inserted, done.LeftOut}, []int{2, 1})
	var codes []string
	for _, f := range done.Errors {
		codes = append(codes, fmt.Sprint(f.Code, " ", f.Row, " ", f.Column))
	}
	slices.Sort(codes)
	is.Equal(codes, []string{"missing_column 0 H (Device)", "missing_required 3 D (Distrito)", "too_long 3 E (Comentarios)"})
	is.Equal(rows(t, address, "SELECT id, rama, activo, otra, created_at IS NOT NULL FROM ccm_generaciones ORDER BY id"), []string{"1|14|1|7|1", "3|14|1|7|1"})
	again, err := l.Files(t.Context(), intake.Options{Force: true}, path)
	is.NoErr(err)
	is.Equal([]int{again.Updated, again.Skipped}, []int{0, 2}) // equal, whatever the types

	// A value that the table refuses is told without showing it.
	execute(t, address, "ALTER TABLE ccm_generaciones ADD UNIQUE (comentarios(50))")
	secret := books.Make(t, "dos.xlsx", []any{"ID", "Nombre_del_misionero", "Distrito", "Comentarios"}, []any{8, "Ocho", "A", "corto"})
	refused, err := l.Files(t.Context(), intake.Options{}, secret)
	is.NoErr(err)
	is.Equal(refused.ErrorCount, 1)
	is.Equal(refused.Errors[0].Code, "db_insert_failed")
	is.True(!strings.Contains(refused.Errors[0].Message, "corto"))
}

func TestAwayDatabase(t *testing.T) {
	is := is.New(t)
	l := open(t, intake.Config{Store: store.Config{URL: "mysql://u:s3creta@127.0.0.1:1/ccm"}})
	_, err := l.Files(t.Context(), intake.Options{}, "x.xlsx")
	is.True(errors.Is(err, store.ErrUnavailable))
	is.True(!strings.Contains(err.Error(), "s3creta"))
}

func open(tb testing.TB, cfg intake.Config) *intake.Loader {
	tb.Helper()
	l, err := intake.Open(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { l.Close() })
	return l
}

// dump is the whole table, by id.
func dump(tb testing.TB, address string) []string {
	tb.Helper()
	return rows(tb, address, "SELECT * FROM ccm_generaciones ORDER BY id")
}

// age makes all rows old, so that what is touched later shows.
func age(tb testing.TB, address string) {
	tb.Helper()
	execute(tb, address, "UPDATE ccm_generaciones SET created_at = '2020-01-02', updated_at = '2020-01-02'")
}

func connect(tb testing.TB, address string) *sql.DB {
	tb.Helper()
	c, err := store.Connector(store.Config{URL: address, QueryTimeout: -1})
	if err != nil {
		tb.Fatal(err)
	}
	return sql.OpenDB(c)
}

func execute(tb testing.TB, address, query string) {
	tb.Helper()
	db := connect(tb, address)
	defer db.Close()
	if _, err := db.ExecContext(context.WithoutCancel(tb.Context()), query); err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
}

func rows(tb testing.TB, address, query string) (all []string) {
	tb.Helper()
	db := connect(tb, address)
	defer db.Close()
	r, err := db.QueryContext(tb.Context(), query)
	if err != nil {
		tb.Fatal(err)
	}
	defer r.Close()
	names, _ := r.Columns()
	values, to := make([]sql.NullString, len(names)), make([]any, len(names))
	for i := range values {
		to[i] = &values[i]
	}
	for r.Next() {
		if err := r.Scan(to...); err != nil {
			tb.Fatal(err)
		}
		var fields []string
		for _, v := range values {
			fields = append(fields, v.String)
		}
		all = append(all, strings.Join(fields, "|"))
	}
	return all
}

// user makes one who has these rights on the table, and returns his URL.
func user(tb testing.TB, address, rights string) string {
	tb.Helper()
	u, err := url.Parse(address)
	if err != nil {
		tb.Fatal(err)
	}
	name := fmt.Sprintf("carga%d", len(rights)) + u.Path[len(u.Path)-4:]
	execute(tb, address, "CREATE USER '"+name+"'@'%' IDENTIFIED BY 'c4rga'")
	tb.Cleanup(func() { execute(tb, address, "DROP USER '"+name+"'@'%'") })
	execute(tb, address, "GRANT "+rights+" ON `"+u.Path[1:]+"`.ccm_generaciones TO '"+name+"'@'%'")
	u.User = url.UserPassword(name, "c4rga")
	return u.String()
}

// damageEnd spoils the last bytes of the sheet, which comes first in the file.
func damageEnd(tb testing.TB, path string) {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	end := len(data) * 9 / 10
	copy(data[end:], strings.Repeat("\xaa", 64))
	if err := os.WriteFile(path, data, 0o600); err != nil {
		tb.Fatal(err)
	}
}

// TestSaysWhatIsWrongWithTheAddress has an address that the server refuses.
func TestSaysWhatIsWrongWithTheAddress(t *testing.T) {
	for name, empty := range servers {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			u, err := url.Parse(empty(t))
			is.NoErr(err)
			other := *u
			other.Path = "/ninguna"
			u.User = url.UserPassword("nadie", "s3creta")
			for address, says := range map[string]string{u.String(): "no acepta al usuario o su contraseña", other.String(): "no existe con ese nombre"} {
				_, err := open(t, intake.Config{Store: store.Config{URL: address}}).Files(t.Context(), intake.Options{}, "x.xlsx")
				is.True(err != nil)
				is.True(strings.Contains(err.Error(), says))
				is.True(!strings.Contains(err.Error(), "nadie"))
			}
		})
	}
}

// TestNamesAreHarmless has a name that a terminal would obey.
func TestNamesAreHarmless(t *testing.T) {
	is := is.New(t)
	address := servers["MySQL"](t)
	_, err := migrate.Up(t.Context(), address)
	is.NoErr(err)
	l := open(t, intake.Config{Store: store.Config{URL: address}})
	done, err := l.Files(t.Context(), intake.Options{}, books.People(t, "a\x1b[31m\tb.xlsx", 1, 1), "no\n.xlsx")
	is.NoErr(err)
	is.Equal(done.Files[0].Name, "a\ufffd[31m\ufffdb.xlsx")
	is.Equal(done.Errors[0].File, "no\ufffd.xlsx")
	ids, found, err := intake.Read(books.Make(t, "c.xlsx", []any{"ID", "Nombre_del_misionero"}, []any{"1_6", "N"}))
	is.NoErr(err)
	is.Equal([]int{len(ids), len(found)}, []int{0, 1}) // 16 is somebody else
}
