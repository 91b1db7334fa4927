package report_test

import (
	"fmt"
	"time"

	"github.com/ccmwf/ccm/ccm/report"
	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/telegram"
)

func ExampleArrivals() {
	today := store.Date{Year: 2026, Month: time.November, Day: 23}
	m := report.Arrivals(report.Info{Branch: 14, Today: today, Days: 30}, []store.Arrival{
		{District: "A", Branch: 14, Arrival: today.AddDays(1), Missionaries: 12, Weeks: 6},
	})
	for _, p := range telegram.Render(m) {
		fmt.Println(p.Plain)
	}
	// Output:
	// 🛬 Próximos ingresos · Rama 14
	//
	// Del lunes 23 de noviembre al miércoles 23 de diciembre:
	// 1 distrito, 12 misioneros
	//
	// Martes 24 de noviembre · mañana
	// • Distrito 14A: 12 misioneros, 6 semanas
}
