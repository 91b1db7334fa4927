package testenv

import (
	"fmt"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
)

// MySQL returns the URL of an empty database of its own on the MySQL 9.7 that
// the test binary shares, as root: mysql://root:…@127.0.0.1:port/name. The
// database is dropped when the test ends.
func MySQL(tb testing.TB) string { tb.Helper(); return sharedMySQL.database(tb) }

// MariaDB is [MySQL] on MariaDB 11.8.
func MariaDB(tb testing.TB) string { tb.Helper(); return sharedMariaDB.database(tb) }

// Redis returns the URL of an empty database of its own on the Redis 8 that the
// test binary shares: redis://127.0.0.1:port/n. There are 999; then the first is
// given again, empty.
func Redis(tb testing.TB) string {
	tb.Helper()
	c := sharedRedis.container(tb)
	n, err := c.claimDatabase()
	if err != nil {
		tb.Fatalf("testenv: %s: %v", c.server.name, err)
	}
	return c.url(fmt.Sprint(n))
}

// NewMySQL starts a MySQL 9.7 for this test alone, with an empty database. Its
// data survive Stop and Start.
func NewMySQL(tb testing.TB) *Container { tb.Helper(); return private(tb, mysqlServer) }

// NewRedis starts a Redis 8 for this test alone. It forgets everything at Stop.
func NewRedis(tb testing.TB) *Container { tb.Helper(); return private(tb, redisServer) }

// Main runs the tests of a package, removes their containers, and says which
// tests were left out. The exit code is set when TestMain returns.
func Main(m *testing.M) {
	m.Run()
	removeAll()
	announceOmissions()
}

// shared is a container that the tests of one binary have in common.
type shared struct{ start func() (*Container, error) }

func share(s server) shared {
	return shared{sync.OnceValues(func() (*Container, error) {
		if address := os.Getenv(s.given); address != "" {
			return given(s, address)
		}
		return run(s, inMemory)
	})}
}

// given is a server that runs already, at a URL such as mysql://root:…@host:3306.
func given(s server, address string) (*Container, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%s: no es la dirección de un servidor", s.given) // its text would show the password
	}
	if s.userinfo = ""; u.User != nil {
		s.userinfo = u.User.String() + "@"
	}
	return &Container{server: s, address: u.Host}, nil
}

var (
	sharedMySQL   = share(mysqlServer)
	sharedMariaDB = share(mariadbServer)
	sharedRedis   = share(redisServer)

	databaseNumber atomic.Int64
)

func (s shared) container(tb testing.TB) *Container {
	tb.Helper()
	c, err := s.start()
	if err != nil {
		Omit(tb, err)
	}
	return c
}

func (s shared) database(tb testing.TB) string {
	tb.Helper()
	c := s.container(tb)
	name := fmt.Sprintf("t%d_%d", os.Getpid(), databaseNumber.Add(1)) // the server may be shared with other binaries
	if err := c.exec("CREATE DATABASE " + name + " CHARACTER SET utf8mb4"); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := c.exec("DROP DATABASE " + name); err != nil {
			tb.Error(err)
		}
	})
	return c.url(name)
}

// private starts a container that ends with the test.
func private(tb testing.TB, s server) *Container {
	tb.Helper()
	c, err := run(s, onDisk)
	if err != nil {
		Omit(tb, err)
	}
	c.tb = tb
	tb.Cleanup(func() { c.check(c.pool.Purge(c.resource)) })
	return c
}
