package testenv

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/redis/go-redis/v9"
)

const (
	password       = "prueba" // of root, in a container of ours
	database       = "ccm"    // of a private MySQL
	redisDatabases = 1000
	// answerTimeout is how long one question to a server may take.
	answerTimeout = 30 * time.Second
)

// server is what one kind of container is made of.
type server struct {
	name             string
	repository, tag  string
	port             string
	scheme, userinfo string // of its URL
	database         string // that it starts with
	given            string // the variable that names a server to use instead of a container
	env, command     []string
	data             string // directory that may live in memory
	ping             func(ctx context.Context, address string) error
}

var (
	mysqlServer = server{
		name: "MySQL 9.7", repository: "mysql", tag: "9.7", port: "3306/tcp",
		scheme: "mysql", userinfo: "root:" + password + "@", database: database, given: "CCM_TEST_MYSQL_URL",
		env:     []string{"MYSQL_ROOT_PASSWORD=" + password, "MYSQL_DATABASE=" + database},
		command: []string{"mysqld", "--skip-log-bin", "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=OFF"},
		data:    "/var/lib/mysql",
		ping:    pingSQL,
	}
	mariadbServer = server{
		name: "MariaDB 11.8", repository: "mariadb", tag: "11", port: "3306/tcp",
		scheme: "mysql", userinfo: "root:" + password + "@", database: database, given: "CCM_TEST_MARIADB_URL",
		env:     []string{"MARIADB_ROOT_PASSWORD=" + password, "MARIADB_DATABASE=" + database},
		command: []string{"mariadbd", "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=OFF"},
		data:    "/var/lib/mysql",
		ping:    pingSQL,
	}
	redisServer = server{
		name: "Redis 8", repository: "redis", tag: "8", port: "6379/tcp",
		scheme: "redis", database: "0", given: "CCM_TEST_REDIS_URL",
		command: []string{"redis-server", "--save", "", "--databases", fmt.Sprint(redisDatabases)},
		ping:    pingRedis,
	}
)

func pingSQL(ctx context.Context, address string) error {
	db, err := openSQL(address, password)
	if err != nil {
		return err
	}
	defer db.Close()
	return db.PingContext(ctx)
}

func pingRedis(ctx context.Context, address string) error {
	client := redis.NewClient(&redis.Options{Addr: address, MaxRetries: -1, DialerRetries: 1})
	defer client.Close()
	return client.Ping(ctx).Err()
}

// openSQL connects as root to no database.
func openSQL(address, password string) (*sql.DB, error) {
	cfg := mysql.NewConfig()
	cfg.User, cfg.Passwd, cfg.Net, cfg.Addr = "root", password, "tcp", address
	cfg.Logger = &mysql.NopLogger{} // else it writes of each refused connection while the server starts
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// exec runs a statement on a MySQL or MariaDB.
func (c *Container) exec(query string) error {
	ctx, cancel := context.WithTimeout(context.Background(), answerTimeout)
	defer cancel()
	_, password, _ := strings.Cut(strings.TrimSuffix(c.server.userinfo, "@"), ":")
	db, err := openSQL(c.address, password)
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, query); err != nil {
		return fmt.Errorf("testenv: %s: %s: %w", c.server.name, query, err)
	}
	return nil
}

// claimDatabase takes the next of a Redis' databases, which several test binaries
// may share, and empties it.
func (c *Container) claimDatabase() (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), answerTimeout)
	defer cancel()
	counter := redis.NewClient(&redis.Options{Addr: c.address})
	defer counter.Close()
	n, err := counter.Incr(ctx, "testenv").Result()
	if err != nil {
		return 0, err
	}
	claimed := redis.NewClient(&redis.Options{Addr: c.address, DB: 1 + int(n-1)%(redisDatabases-1)}) // 0 has the counter
	defer claimed.Close()
	return claimed.Options().DB, claimed.FlushDB(ctx).Err()
}
