package ccm_test

import (
	"bufio"
	"database/sql"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/cache"
	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/docker/testenv"
	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/store/migrate"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// The variables that make this binary one of the processes of a test.
const (
	childMySQL = "CCM_TEST_CLIENT_MYSQL"
	childRedis = "CCM_TEST_CLIENT_REDIS"
)

// TestAThousandColdRequestsOverFourProcessesAreOneQuery counts at the MySQL. Its
// table is locked until all have asked, so that nobody is served what another
// had the time to store.
func TestAThousandColdRequestsOverFourProcessesAreOneQuery(t *testing.T) {
	if os.Getenv(childMySQL) != "" {
		beService(t)
		return
	}
	is, url := is.New(t), testenv.NewMySQL(t).URL() // one that counts: the stack's has no performance_schema
	_, err := migrate.Up(t.Context(), url)
	is.NoErr(err)
	db := mysql(t, url)
	_, err = db.ExecContext(t.Context(), `INSERT INTO ccm_generaciones (id, tipo, rama, distrito, nombre_misionero, fecha_llegada, fecha_salida, fecha_generacion)
		VALUES (1, 'Eld', 14, 'A', 'Persona de Prueba', CURDATE() + INTERVAL 5 DAY, CURDATE() + INTERVAL 26 DAY, CURDATE())`)
	is.NoErr(err)
	services := testenv.Fork(t, 4, childMySQL+"="+url, childRedis+"="+testenv.Redis(t))
	services.Await("ready")

	held, err := db.Conn(t.Context())
	is.NoErr(err)
	_, err = held.ExecContext(t.Context(), "LOCK TABLES ccm_generaciones WRITE")
	is.NoErr(err)
	services.Tell()
	services.Await("asking")
	for number(t, db, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND INFO LIKE '%vwMisioneros%' AND STATE LIKE 'Waiting%'") == 0 {
		is.NoErr(t.Context().Err())
	}
	_, err = held.ExecContext(t.Context(), "UNLOCK TABLES")
	is.NoErr(err)
	is.NoErr(held.Close())
	services.Await("all have 1 record")
	is.Equal(number(t, db, "SELECT SUM(COUNT_STAR) FROM performance_schema.events_statements_summary_by_digest WHERE SCHEMA_NAME = DATABASE() AND DIGEST_TEXT LIKE '%vwMisioneros%' AND DIGEST_TEXT NOT LIKE 'CREATE%'"), 1)
}

// beService asks 250 times at once, when it is told to.
func beService(t *testing.T) {
	is := is.New(t)
	c, err := ccm.Open(ccm.Config{
		Branch: 14, Store: store.Config{URL: os.Getenv(childMySQL)},
		Cache: cache.Config{URL: os.Getenv(childRedis), Patience: 10 * time.Second}, // the machine may be busy
	})
	is.NoErr(err)
	defer c.Close()
	fmt.Println("ready")
	is.True(bufio.NewScanner(os.Stdin).Scan()) // told to
	var asking, wait sync.WaitGroup
	asking.Add(250)
	for range 250 {
		wait.Go(func() {
			asking.Done()
			got, err := c.Arrivals(t.Context(), ccm.Query{})
			if err != nil || len(got.Records) != 1 {
				t.Error(len(got.Records), err)
			}
		})
	}
	asking.Wait()
	fmt.Println("asking")
	wait.Wait()
	if !t.Failed() {
		fmt.Println("all have 1 record")
	}
}

func mysql(t *testing.T, url string) *sql.DB {
	t.Helper()
	connector, err := store.Connector(store.Config{URL: url, QueryTimeout: -1})
	is.New(t).NoErr(err)
	db := sql.OpenDB(connector)
	t.Cleanup(func() { db.Close() })
	return db
}

// number is the one that a query answers.
func number(t *testing.T, db *sql.DB, query string) (n int) {
	t.Helper()
	is.New(t).NoErr(db.QueryRowContext(t.Context(), query).Scan(&n))
	return n
}
