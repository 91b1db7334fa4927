// Package testenv gives tests a real MySQL, MariaDB and Redis in containers.
//
// Hand the TestMain of the package over first, so that the containers go when
// the tests end:
//
//	func TestMain(m *testing.M) { testenv.Main(m) }
//
// Then call [MySQL], [MariaDB] or [Redis] in a test: the first call of a test
// binary starts one container of that kind, later ones share it, and each call
// gets an empty database of its own. [NewMySQL] and [NewRedis] start a private
// container, which the test may pause, stop and start again; [NewRedisCluster],
// [NewRedisSentinel] and [NewRedisTLS] start what their names say. [Fork] starts
// processes for what a single one cannot show.
//
// # Without Docker
//
// Where Docker does not answer, or an image can neither be found nor pulled
// (docker/bases makes them), the test is skipped, and [Main] says so on the
// terminal. go test keeps the passed result of such a run like any other: once
// Docker is there, run it with -count=1. With CCM_REQUIRE_DOCKER=1, as in CI,
// a missing part fails the test instead.
//
// # Inside of the stack
//
// CCM_TEST_MYSQL_URL, CCM_TEST_MARIADB_URL and CCM_TEST_REDIS_URL name servers to
// use instead of containers, as compose.yaml's service tests does: root's URL
// without a database. Private servers need Docker all the same.
//
// # What becomes of the containers
//
// They listen on 127.0.0.1 only and keep shared data in memory. They are
// removed when the test binary ends, also by a panic, a time-out or a kill: a
// child process waits for that. Should the child be killed too, Docker ends
// them after half an hour, and the next start removes what is left.
package testenv
