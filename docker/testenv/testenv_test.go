package testenv_test

import (
	"database/sql"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql" // sql.Open
	"github.com/matryer/is"
	"github.com/redis/go-redis/v9"

	"github.com/ccmwf/ccm/docker/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

func TestEachCallGetsADatabaseOfItsOwn(t *testing.T) {
	for name, get := range map[string]func(testing.TB) string{"MySQL": testenv.MySQL, "MariaDB": testenv.MariaDB, "Redis": testenv.Redis} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			is := is.New(t)
			one, two := parse(t, get(t)), parse(t, get(t))
			is.Equal(one.Host, two.Host)  // one server
			is.True(one.Path != two.Path) // two databases
			is.True(one.Hostname() == "127.0.0.1" || inStack())
		})
	}
}

func TestADatabaseIsEmptyAndGoesWithItsTest(t *testing.T) {
	is := is.New(t)
	other := open(t, testenv.MySQL(t))
	var name string
	t.Run("its test", func(t *testing.T) {
		is := is.New(t)
		url := testenv.MySQL(t)
		name = strings.TrimPrefix(parse(t, url).Path, "/")
		var tables int
		is.NoErr(open(t, url).QueryRow("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()").Scan(&tables))
		is.Equal(tables, 0)
	})
	var left int
	is.NoErr(other.QueryRow("SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = ?", name).Scan(&left))
	is.Equal(left, 0)
}

func TestAStoppedMySQLComesBackWithItsDataAtTheSameAddress(t *testing.T) {
	is := is.New(t)
	c := testenv.NewMySQL(t)
	address := c.URL()
	db := open(t, address)
	_, err := db.Exec("CREATE TABLE t (n INT) AS SELECT 7 AS n")
	is.NoErr(err)
	c.Stop()
	_, err = net.DialTimeout("tcp", parse(t, address).Host, time.Second)
	is.True(err != nil) // refused
	c.Start()
	is.Equal(c.URL(), address)
	var n int
	is.NoErr(open(t, address).QueryRow("SELECT n FROM t").Scan(&n))
	is.Equal(n, 7)
}

func TestAPausedRedisAcceptsAndDoesNotAnswer(t *testing.T) {
	is := is.New(t)
	c := testenv.NewRedis(t)
	client := redis.NewClient(&redis.Options{Addr: parse(t, c.URL()).Host, MaxRetries: -1, ReadTimeout: 200 * time.Millisecond})
	defer client.Close()
	is.NoErr(client.Ping(t.Context()).Err())
	c.Pause()
	conn, err := net.DialTimeout("tcp", parse(t, c.URL()).Host, time.Second)
	is.NoErr(err)
	defer conn.Close()
	is.True(client.Ping(t.Context()).Err() != nil)
	c.Unpause()
	is.NoErr(client.Ping(t.Context()).Err())
	c.Pause() // what is paused is purged all the same
}

// inStack says whether the shared servers are those of the compose stack.
func inStack() bool { return os.Getenv("CCM_TEST_REDIS_URL") != "" }

func TestAServerThatRunsAlreadyIsUsed(t *testing.T) {
	is := is.New(t)
	c := testenv.NewRedis(t)
	output, err := rerun("TestItPrintsARedis", "CCM_TEST_REDIS_URL="+strings.TrimSuffix(c.URL(), "/0"))
	is.NoErr(err)
	is.True(strings.Contains(output, "address:"+strings.TrimSuffix(c.URL(), "0"))) // with a number behind it
}

func TestItPrintsARedis(t *testing.T) { println("address:" + testenv.Redis(t)) }

// crashEnv makes this test binary, started once more, leave a container behind.
const crashEnv = "CCM_TESTENV_CRASH"

func TestContainersGoWhenTheBinaryDies(t *testing.T) {
	switch os.Getenv(crashEnv) {
	case "panic":
		println("address:" + parse(t, testenv.Redis(t)).Host)
		panic("as a broken test does")
	case "kill":
		println("address:" + parse(t, testenv.Redis(t)).Host)
		if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		select {}
	}
	testenv.NewRedis(t) // or skip, before it is tried in a child
	if inStack() {
		t.Skip("the shared Redis is no container here")
	}
	for _, how := range []string{"panic", "kill"} {
		t.Run(how, func(t *testing.T) {
			output, err := rerun("TestContainersGoWhenTheBinaryDies", crashEnv+"="+how)
			is := is.New(t)
			is.True(err != nil)
			_, after, found := strings.Cut(output, "address:")
			is.True(found)
			address, _, _ := strings.Cut(after, "\n")
			for range time.Tick(50 * time.Millisecond) {
				conn, err := net.Dial("tcp", address)
				if err != nil {
					return // go test's own time-out ends the other case
				}
				is.NoErr(conn.Close())
			}
		})
	}
}

func TestWithoutDocker(t *testing.T) {
	nowhere := []string{"DOCKER_HOST=tcp://127.0.0.1:1", "CCM_TEST_MYSQL_URL=", "CCM_TEST_MARIADB_URL=", "CCM_TEST_REDIS_URL="}
	t.Run("a test is skipped loudly", func(t *testing.T) {
		is := is.New(t)
		output, err := rerun("TestEachCallGetsADatabaseOfItsOwn", append(nowhere, "CCM_REQUIRE_DOCKER=")...)
		is.NoErr(err)
		is.True(strings.Contains(output, "--- SKIP"))
		is.True(strings.Contains(output, "no hay respuesta de Docker"))
		is.True(strings.Contains(output, "OMITIDO en "))
	})
	t.Run("a test fails where Docker is demanded", func(t *testing.T) {
		is := is.New(t)
		output, err := rerun("TestEachCallGetsADatabaseOfItsOwn", append(nowhere, "CCM_REQUIRE_DOCKER=1")...)
		is.True(err != nil)
		is.True(strings.Contains(output, "--- FAIL"))
		is.True(strings.Contains(output, "docker/bases"))
	})
}

// rerun runs one test of this binary in a process of its own, below a shell
// that stands for go test: what [testenv.Main] says there is in the output too.
func rerun(test string, env ...string) (output string, err error) {
	command := exec.Command("sh", "-c", `"$0" "$@"; exit $?`, os.Args[0], "-test.v", "-test.run=^"+test+"$")
	command.Env = append(os.Environ(), env...)
	raw, err := command.CombinedOutput()
	return string(raw), err
}

func parse(t *testing.T, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// open connects to a mysql:// URL of testenv.
func open(t *testing.T, raw string) *sql.DB {
	t.Helper()
	u := parse(t, raw)
	db, err := sql.Open("mysql", u.User.String()+"@tcp("+u.Host+")"+u.Path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}
