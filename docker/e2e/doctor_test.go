package e2e_test

import (
	"strings"
	"testing"

	"github.com/matryer/is"
	"github.com/redis/go-redis/v9"

	"github.com/ccmwf/ccm/docker/testenv"
)

// TestDoctorNamesWhatADatabaseLacks takes one thing after another from a
// database that works, and asks for the diagnosis an operator would act on.
func TestDoctorNamesWhatADatabaseLacks(t *testing.T) {
	for _, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			_, env := telegramEnv(t)
			url := db.url(t)
			env = append(env, "DATABASE_URL="+url)
			says := func(wantExit int, want ...string) {
				t.Helper()
				is := is.New(t)
				exit, out := runCommand(t, env, "doctor")
				is.Equal(exit, wantExit)
				for _, w := range want {
					if !strings.Contains(out, w) {
						t.Errorf("the diagnosis does not say %q:\n%s", w, out)
					}
				}
				is.True(!strings.Contains(out, "root:")) // no user with a password
			}
			says(1, "vwMisioneros", "vwFechasCCMPorDistrito")

			exit, out := runCommand(t, env, "migrate", "up")
			t.Log(out)
			is.New(t).Equal(exit, 0)
			says(0, "los que hacen falta están", "vwMisioneros no tiene ninguna")

			execute(t, url, "DROP INDEX "+strings.ReplaceAll(indexOf(t, url), "/", " ON "))
			says(0, "faltan, y con muchas filas", "CREATE INDEX")

			execute(t, url, `CREATE OR REPLACE VIEW vwMisioneros AS
				SELECT id AS ID, rama AS Rama, distrito AS Distrito, nombre_misionero AS Nombre_del_misionero FROM ccm_generaciones`)
			says(1, "Fecha_nacimiento")

			execute(t, url, "DROP VIEW vwMisioneros")
			says(1, "vwMisioneros")
		})
	}
}

// TestDoctorsCureOfARedisUserIsEnough gives a user of Redis what doctor asks for.
func TestDoctorsCureOfARedisUserIsEnough(t *testing.T) {
	is, raw := is.New(t), testenv.Redis(t)
	options, err := redis.ParseURL(raw)
	is.NoErr(err)
	admin := redis.NewClient(options)
	defer admin.Close()
	grant := func(rights ...any) {
		is.NoErr(admin.Do(t.Context(), append([]any{"ACL", "SETUSER", "pobre", "reset", "on", ">secreta"}, rights...)...).Err())
	}
	doctor := func() string {
		_, out := runCommand(t, []string{"CACHE_PROVIDER=redis", "REDIS_URL=" + strings.Replace(raw, "redis://", "redis://pobre:secreta@", 1)}, "doctor")
		is.True(!strings.Contains(out, "secreta"))
		return out
	}
	grant("+ping", "+select")
	_, cure, found := strings.Cut(doctor(), "«~ccm:")
	is.True(found)
	cure, _, _ = strings.Cut("~ccm:"+cure, "»")
	var rights []any
	for right := range strings.FieldsSeq(cure) {
		rights = append(rights, right)
	}
	grant(rights...)
	is.NoErr(admin.Do(t.Context(), "ACL", "LOG", "RESET").Err())
	is.True(strings.Contains(doctor(), "caché          Redis ("))
	refused, err := admin.Do(t.Context(), "ACL", "LOG").Slice()
	is.NoErr(err)
	is.Equal(len(refused), 1) // INFO, for the version, which is a nicety
	grant(rights[:len(rights)-1]...)
	is.True(strings.Contains(doctor(), "le falta un permiso"))
}

// indexOf returns "index/table" of an index that a branch is looked up by.
func indexOf(tb testing.TB, url string) string {
	tb.Helper()
	return column(tb, open(tb, url), `SELECT DISTINCT CONCAT(index_name, '/', table_name) FROM information_schema.statistics
		WHERE table_schema = DATABASE() AND table_name = 'ccm_generaciones' AND column_name = 'rama' AND seq_in_index = 1 ORDER BY 1`, 0)[0]
}
