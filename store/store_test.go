package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/store"
)

func TestOpenRefuses(t *testing.T) {
	const url = "mysql://u:s3creto@h/d"
	for _, c := range []struct {
		outcome, says string
		cfg           store.Config
	}{
		{"no URL", "URL is empty", store.Config{}},
		{"fewer connections than none", "MaxConns is -1", store.Config{URL: url, MaxConns: -1}},
		{"another rule for 29 February", "Feb29 is 4", store.Config{URL: url, Feb29: time.April}},
	} {
		t.Run(c.outcome, func(t *testing.T) {
			is := is.New(t)
			_, err := store.Open(c.cfg)
			is.True(err != nil)
			is.True(strings.Contains(err.Error(), c.says))
			is.True(!strings.Contains(err.Error(), "s3creto"))
		})
	}
}

// unused is a Store of a database that is never dialled.
func unused(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(store.Config{URL: "mysql://u:p@localhost:1/d"})
	is.New(t).NoErr(err)
	t.Cleanup(func() { s.Close() })
	return s
}

func TestArgumentsAreCheckedBeforeDialling(t *testing.T) {
	s, ctx, today := unused(t), context.Background(), day("2026-12-01")
	for outcome, call := range map[string]func() error{
		"a window without a first day": func() error { _, err := s.Arrivals(ctx, store.Window{Branch: 14, Days: 1}); return err },
		"a window that ends before it begins": func() error {
			_, err := s.Birthdays(ctx, store.Window{From: today, Days: -1})
			return err
		},
		"a branch below zero": func() error { _, err := s.Arrivals(ctx, store.Window{Branch: -1, From: today}); return err },
		"two statuses in one": func() error { _, err := s.Birthdays(ctx, store.Window{From: today}, "CCM,Virtual"); return err },
		"figures of no day":   func() error { _, err := s.KPIs(ctx, 14, store.Date{}); return err },
	} {
		t.Run(outcome+" is an error of the caller", func(t *testing.T) {
			is := is.New(t)
			err := call()
			is.True(err != nil)
			is.True(!strings.Contains(err.Error(), "dial"))
		})
	}
}

func TestSession(t *testing.T) {
	is := is.New(t)
	mexico := time.FixedZone("", -6*60*60)
	is.Equal(store.Session(store.Config{Location: mexico, QueryTimeout: 2500 * time.Millisecond}, time.Now()),
		"SET NAMES utf8mb4, time_zone = '-06:00' /*!50708 , max_execution_time = 2500 */ /*M!100101 , max_statement_time = 2.500 */")
	is.Equal(store.Session(store.Config{QueryTimeout: -1}, time.Now()), "SET NAMES utf8mb4")
	summer, err := time.LoadLocation("Europe/Madrid")
	is.NoErr(err)
	july := time.Date(2026, time.July, 1, 0, 0, 0, 0, time.UTC)
	is.True(strings.Contains(store.Session(store.Config{Location: summer}, july), "'+02:00'"))
}

func TestRights(t *testing.T) {
	for _, c := range []struct {
		outcome, schema string
		grants          []string
		want            string
	}{
		{"of everything", "ccm", []string{"GRANT ALL PRIVILEGES ON *.* TO `root`@`%` WITH GRANT OPTION"}, "ALL PRIVILEGES"},
		{"of the schema", "ccm", []string{"GRANT USAGE ON *.* TO `u`@`%`", "GRANT SELECT, SHOW VIEW ON `ccm`.* TO `u`@`%`"}, "USAGE SELECT SHOW VIEW"},
		{"of another schema", "ccm", []string{"GRANT INSERT ON `otra`.* TO `u`@`%`"}, ""},
		{"of a pattern", "ccm_prod", []string{"GRANT INSERT ON `ccm%`.* TO `u`@`%`"}, "INSERT"},
		{"of an escaped name", "ccm_prod", []string{"GRANT INSERT ON `ccm\\_prod`.* TO `u`@`%`"}, "INSERT"},
		{"of an escaped name that is another", "ccmXprod", []string{"GRANT INSERT ON `ccm\\_prod`.* TO `u`@`%`"}, ""},
		{"of a view's column", "ccm", []string{"GRANT SELECT (`ID`), UPDATE (`ID`) ON `ccm`.`v` TO `u`@`%`"}, "SELECT UPDATE"},
		{"of a role", "ccm", []string{"GRANT `lector`@`%` TO `u`@`%`"}, ""},
	} {
		t.Run(c.outcome, func(t *testing.T) {
			is.New(t).Equal(strings.Join(store.RightsOn(c.schema, c.grants), " "), c.want)
		})
	}
}

func TestColumnUnderView(t *testing.T) {
	for _, c := range []struct{ outcome, definition, want string }{
		{"as MySQL writes it", "CREATE VIEW `v` AS select `t`.`id` AS `ID`,`t`.`rama` AS `Rama` from `t` where (`t`.`activo` = 1)", "t.rama"},
		{"by an alias", "CREATE VIEW `v` AS select `x`.`num` AS `Rama` from `gente` `x`", "gente.num"},
		{"of another schema", "CREATE VIEW `v` AS select `otra`.`t`.`r` AS `Rama` from `otra`.`t` group by `otra`.`t`.`r`,`otra`.`t`.`d`", "otra.t.r"},
		{"of a join", "CREATE VIEW `v` AS select `b`.`r` AS `Rama` from (`a` join `t` `b` on((`a`.`id` = `b`.`id`)))", "t.r"},
		{"as a person writes it", "create view v as select id, rama as Rama from gente where activo", "gente.rama"},
		{"of an expression", "CREATE VIEW `v` AS select cast(`t`.`r` as signed) AS `Rama` from `t`", ""},
		{"of no table", "CREATE VIEW `v` AS select 14 AS `Rama`", ""},
	} {
		t.Run(c.outcome, func(t *testing.T) { is.New(t).Equal(store.Source("v", "Rama", c.definition), c.want) })
	}
}

func TestIdentityTellsApartWhatAnswersDependOn(t *testing.T) {
	identity := func(cfg store.Config) string {
		s, err := store.Open(cfg)
		is.New(t).NoErr(err)
		defer s.Close()
		return s.Identity()
	}
	mexico, err := time.LoadLocation("America/Mexico_City")
	is.New(t).NoErr(err)
	base := store.Config{URL: "mysql://lector:uno@db.example.org/ccm", Location: mexico}
	for name, c := range map[string]struct {
		cfg  store.Config
		same bool
	}{
		"another password":     {store.Config{URL: "mysql://lector:dos@db.example.org/ccm", Location: mexico}, true},
		"another form":         {store.Config{URL: "lector:uno@tcp(db.example.org:3306)/ccm", Location: mexico}, true},
		"more connections":     {store.Config{URL: base.URL, MaxConns: 3, Location: mexico}, true},
		"another server":       {store.Config{URL: "mysql://lector:uno@db2.example.org/ccm", Location: mexico}, false},
		"another port":         {store.Config{URL: "mysql://lector:uno@db.example.org:3307/ccm", Location: mexico}, false},
		"another database":     {store.Config{URL: "mysql://lector:uno@db.example.org/qa", Location: mexico}, false},
		"another zone":         {store.Config{URL: base.URL, Location: time.UTC}, false},
		"another 29 February":  {store.Config{URL: base.URL, Location: mexico, Feb29: time.March}, false},
		"28 February, in full": {store.Config{URL: base.URL, Location: mexico, Feb29: time.February}, true},
	} {
		t.Run(name, func(t *testing.T) { is.New(t).Equal(identity(c.cfg) == identity(base), c.same) })
	}
}
