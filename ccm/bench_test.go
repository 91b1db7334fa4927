package ccm_test

import (
	"slices"
	"testing"

	"github.com/ccmwf/ccm/ccm"
)

// BenchmarkDataset asks for 200 birthdays. The baseline copies as many records,
// which is the least that a caller's own copy costs; cold is a database that
// answers at once, so that what is measured is the cache and the rules.
func BenchmarkDataset(b *testing.B) {
	rows := make([]ccm.Birthday, 200)
	for i := range rows {
		rows[i] = birthday(b, i+1, "2026-12-01")
	}
	c := client(b, ccm.Config{Branch: 14}, &database{birthdays: rows})
	b.Run("baseline", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if len(slices.Clone(rows)) != len(rows) {
				b.Fatal("lost rows")
			}
		}
	})
	for name, q := range map[string]ccm.Query{"warm": {}, "cold": {Refresh: true}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				d, err := c.Birthdays(b.Context(), q)
				if err != nil || len(d.Records) != len(rows) {
					b.Fatal(len(d.Records), err)
				}
			}
		})
	}
}
