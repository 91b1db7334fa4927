package e2e_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/ccmwf/ccm/docker/testenv"
	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/store/migrate"
)

// BenchmarkColdQuery asks real MySQL with nothing cached, in the reference
// schema. Its baseline, measured in the same run, is the driver alone reading
// the people of one branch from the table.
//
// A branch has 200 people whatever the size of the table: the rest are other
// branches and people who left long ago.
func BenchmarkColdQuery(b *testing.B) {
	for _, rows := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) {
			url := testenv.MySQL(b)
			if _, err := migrate.Up(context.Background(), url); err != nil {
				b.Fatal(err)
			}
			db := open(b, url)
			fill(b, db, rows)
			s, err := store.Open(store.Config{URL: url, QueryTimeout: time.Minute})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			for _, indexed := range []bool{true, false} {
				if !indexed {
					dropIndexes(b, db)
				}
				benchQueries(b, db, s, fmt.Sprintf("indexed=%v", indexed))
			}
		})
	}
}

func benchQueries(b *testing.B, db *sql.DB, s *store.Store, name string) {
	today := store.DateOf(time.Now())
	b.Run(name+"/baseline", func(b *testing.B) {
		for b.Loop() {
			if len(column(b, db, "SELECT nombre_misionero FROM ccm_generaciones WHERE rama = 14", 0)) != 200 {
				b.Fatal("not the people of the branch")
			}
		}
	})
	b.Run(name+"/arrivals", func(b *testing.B) {
		for b.Loop() {
			rows, err := s.Arrivals(b.Context(), store.Window{Branch: 14, From: today, Days: 60})
			if err != nil || len(rows) == 0 {
				b.Fatal(len(rows), err)
			}
		}
	})
	b.Run(name+"/birthdays", func(b *testing.B) {
		for b.Loop() {
			rows, err := s.Birthdays(b.Context(), store.Window{Branch: 14, From: today, Days: 90}, "Virtual", "CCM")
			if err != nil || len(rows) == 0 {
				b.Fatal(len(rows), err)
			}
		}
	})
}

// fill makes n people, 200 of them in branch 14.
func fill(b *testing.B, db *sql.DB, n int) {
	b.Helper()
	ctx := context.Background()
	conn, err := db.Conn(ctx)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	for _, q := range []string{
		`SET SESSION cte_max_recursion_depth = 10000000`,
		fmt.Sprintf(`INSERT INTO ccm_generaciones
			(id, tipo, rama, distrito, nombre_misionero, fecha_generacion, fecha_llegada, fecha_salida, fecha_nacimiento, tres_semanas, activo)
			WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			SELECT i + 1, IF(i %% 2, 'Eld', 'Sis'), IF(i < 200, 14, 100 + i DIV 200), CHAR(65 + i %% 6), CONCAT('Persona ', i),
				CURDATE() - INTERVAL 5 DAY, CURDATE() + INTERVAL (i %% 80 - 20) DAY, CURDATE() + INTERVAL (i %% 80 + 20) DAY,
				CURDATE() - INTERVAL (7000 + i * 7 %% 1500) DAY, i %% 3 = 0, 1
			FROM n`, n-1),
		`ANALYZE TABLE ccm_generaciones`,
	} {
		if _, err := conn.ExecContext(ctx, q); err != nil {
			b.Fatal(err)
		}
	}
}

// dropIndexes leaves the primary key only, as many an adopted database has it.
func dropIndexes(b *testing.B, db *sql.DB) {
	b.Helper()
	for _, name := range column(b, db, `SELECT DISTINCT index_name FROM information_schema.statistics
		WHERE table_schema = DATABASE() AND table_name = 'ccm_generaciones' AND index_name <> 'PRIMARY'`, 0) {
		if _, err := db.Exec("DROP INDEX `" + name + "` ON ccm_generaciones"); err != nil {
			b.Fatal(err)
		}
	}
}
