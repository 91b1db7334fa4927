package storetest

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/matryer/is"

	"github.com/ccmwf/ccm/store"
)

func testFaults(t *testing.T, empty Empty) {
	raw := reference(t, empty)
	w := window(14, "2026-12-01", 30)

	t.Run("a connection that is lost before the answer is tried once more", func(t *testing.T) {
		is := is.New(t)
		p := newProxy(t, raw)
		s := open(t, store.Config{URL: p.url})
		is.NoErr(s.Ping(t.Context()))
		p.drop.Store(1)
		_, err := s.Arrivals(t.Context(), w)
		is.NoErr(err)
		is.Equal(p.accepted.Load(), int32(2))
	})
	t.Run("a connection that is lost twice is an error", func(t *testing.T) {
		is := is.New(t)
		p := newProxy(t, raw)
		s := open(t, store.Config{URL: p.url})
		is.NoErr(s.Ping(t.Context()))
		p.drop.Store(1000)
		_, err := s.Arrivals(t.Context(), w)
		is.True(errors.Is(err, store.ErrUnavailable))
		p.drop.Store(0)
		_, err = s.Arrivals(t.Context(), w)
		is.NoErr(err) // and the store recovers by itself
	})
	t.Run("an error of the query is not tried again", func(t *testing.T) {
		is := is.New(t)
		p := newProxy(t, empty(t))
		s := open(t, store.Config{URL: p.url})
		is.NoErr(s.Ping(t.Context()))
		before := p.packets.Load()
		_, err := s.Arrivals(t.Context(), w)
		is.True(errors.Is(err, store.ErrSchema)) // there are no views
		is.Equal(p.packets.Load(), before+1)
	})
	t.Run("a query that takes too long is given up", func(t *testing.T) {
		is := is.New(t)
		s := open(t, store.Config{URL: slow(t, empty), QueryTimeout: 100 * time.Millisecond})
		_, err := s.KPIs(t.Context(), 14, day("2026-12-01"))
		is.True(errors.Is(err, store.ErrUnavailable))
	})
	t.Run("a caller that goes away is not the database's fault", func(t *testing.T) {
		is := is.New(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := open(t, store.Config{URL: raw}).Arrivals(ctx, w)
		is.True(errors.Is(err, context.Canceled))
		is.True(!errors.Is(err, store.ErrUnavailable))
	})
	t.Run("nobody listening is unavailable", func(t *testing.T) {
		testKind(t, change(t, raw, func(u *url.URL) { u.Host = refusing(t) }), store.ErrUnavailable)
	})
	t.Run("an unknown database is a fault of the schema", func(t *testing.T) {
		testKind(t, change(t, raw, func(u *url.URL) { u.Path = "/no_existe" }), store.ErrSchema)
	})
	t.Run("a wrong password is denied", func(t *testing.T) {
		testKind(t, change(t, raw, func(u *url.URL) { u.User = url.UserPassword(u.User.Username(), "equivocada") }), store.ErrDenied)
	})
}

func testLimit(t *testing.T, empty Empty) {
	t.Run("a query that takes too long is stopped by the server", func(t *testing.T) {
		is := is.New(t)
		s := open(t, store.Config{URL: slow(t, empty), QueryTimeout: 100 * time.Millisecond})
		_, err := s.KPIs(t.Context(), 14, day("2026-12-01"))
		is.True(errors.Is(err, store.ErrUnavailable))
		server, ok := errors.AsType[*mysql.MySQLError](err)
		is.True(ok)
		is.True(server.Number == 3024 || server.Number == 1969) // MySQL, MariaDB
	})
}

// testKind asks a database that cannot answer; no text may hold its password.
func testKind(t *testing.T, raw string, kind error) {
	t.Helper()
	is := is.New(t)
	s := open(t, store.Config{URL: raw})
	u, err := url.Parse(raw)
	is.NoErr(err)
	_, err = s.Arrivals(t.Context(), window(14, "2026-12-01", 30))
	check := s.Check(t.Context())
	_, inspect := s.Inspect(t.Context())
	for _, err := range []error{err, s.Ping(t.Context()), check, inspect} {
		is.True(errors.Is(err, kind))
		password, _ := u.User.Password()
		is.True(password == "" || !strings.Contains(err.Error(), password))
		is.True(!strings.Contains(err.Error(), raw))
	}
}

// slow is a database whose view answers after a while.
func slow(t *testing.T, empty Empty) string {
	raw := empty(t)
	run(t, connect(t, raw), `
CREATE TABLE lenta (id INT PRIMARY KEY)

INSERT INTO lenta VALUES (1), (2)

CREATE VIEW vwMisioneros AS
SELECT id AS ID, '' AS Tipo, 14 + SLEEP(5) AS Rama, '' AS Distrito, '' AS RDistrito, '' AS Tratamiento, '' AS Nombre_del_misionero,
       '' AS CCM_llegada, '' AS CCM_salida, '' AS Fecha_nacimiento, '' AS Status, '' AS tres_semanas, '' AS Correo_Misional, '' AS Correo_Personal
FROM lenta`)
	return raw
}

func change(t *testing.T, raw string, f func(*url.URL)) string {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	f(u)
	return u.String()
}

// refusing is an address where nobody listens.
func refusing(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
