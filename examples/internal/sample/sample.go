// Package sample fills a database with invented people, so that the reports of
// any day look alive: see [Load].
package sample

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ccmwf/ccm/store"
	"github.com/ccmwf/ccm/store/migrate"
)

// ErrNotOurs is what Load answers for a database that holds anybody else's data.
var ErrNotOurs = errors.New("sample: the database holds data that are not the sample's")

// Load makes the reference schema in the database of url and loads invented
// people around today, always the same for the same day: branches 14 and 9, some
// in every status, arrivals from today on, birthdays from today on, somebody of
// 29 February, and three people of branch 14 with a hole in their row. Those of
// an earlier Load are replaced; other people are [ErrNotOurs].
func Load(ctx context.Context, url string, today store.Date) error {
	found, err := migrate.Up(ctx, url)
	if err != nil {
		return err
	}
	if found.State != migrate.Ours {
		return ErrNotOurs
	}
	connector, err := store.Connector(store.Config{URL: url, QueryTimeout: -1})
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	var strangers int
	const others = "SELECT COUNT(*) FROM ccm_generaciones WHERE correo_misional IS NULL OR correo_misional NOT LIKE '%" + mailDomain + "'"
	if err := db.QueryRowContext(ctx, others).Scan(&strangers); err != nil {
		return fmt.Errorf("sample: %w", err)
	}
	if strangers > 0 {
		return ErrNotOurs
	}
	return replace(ctx, db, people(today))
}

// mailDomain tells the sample's people from all others.
const mailDomain = "@mision.example.org"

// missionary is a row of ccm_generaciones. An empty text and a zero Date are NULL.
type missionary struct {
	branch                                int
	district, name, treatment, mission    string
	sister, short                         bool
	generation, arrival, departure, birth store.Date
	country, missionEmail, personalEmail  string
}

func replace(ctx context.Context, db *sql.DB, all []missionary) error {
	const columns = "id, tipo, rama, distrito, pais, tratamiento, nombre_misionero, mision_asignada, fecha_generacion, fecha_llegada, fecha_salida, fecha_nacimiento, tres_semanas, correo_misional, correo_personal"
	var rows []string
	var args []any
	for i, m := range all {
		kind := "Eld"
		if m.sister {
			kind = "Sis"
		}
		row := []any{1001 + i, kind, m.branch, null(m.district), m.country, null(m.treatment), m.name, m.mission,
			m.generation, m.arrival, m.departure, m.birth, m.short, m.missionEmail, null(m.personalEmail)}
		rows = append(rows, "(?"+strings.Repeat(", ?", len(row)-1)+")")
		args = append(args, row...)
	}
	query := "REPLACE INTO ccm_generaciones (" + columns + ") VALUES " + strings.Join(rows, ", ")
	if _, err := db.ExecContext(ctx, query, args...); err != nil {
		return fmt.Errorf("sample: loading: %w", err)
	}
	return nil
}

func null(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

// group is a district that arrives together, in days from today.
type group struct {
	branch   int
	district string
	arrives  int
	short    bool
	people   int
}

const (
	online     = 14 // days of the online phase, before the arrival
	shortStay  = 3 * 7
	normalStay = 6 * 7
)

// groups are in every status: in the field, at the centre, online, to come.
// District E arrives on one day and leaves on two.
var groups = []group{
	{14, "C", -77, false, 6}, {14, "D", -49, true, 6},
	{14, "A", -12, false, 10}, {14, "B", -5, true, 8},
	{14, "C", 0, true, 8}, {14, "D", 1, false, 10},
	{14, "E", 6, false, 6}, {14, "E", 6, true, 4}, {14, "F", 13, false, 12},
	{14, "A", 20, true, 8}, {14, "B", 27, false, 10}, {14, "C", 41, false, 8},
	{9, "E", -60, false, 6},
	{9, "A", -19, false, 8}, {9, "B", 1, true, 8}, {9, "C", 8, false, 10},
	{9, "D", 22, false, 8}, {9, "F", 36, true, 6},
}

func people(today store.Date) []missionary {
	var all []missionary
	for _, g := range groups {
		for range g.people {
			all = append(all, g.member(len(all), today))
		}
	}
	leapDay(&all[14], today)
	all[16].birth = store.Date{}
	all[17].arrival, all[17].departure = store.Date{}, store.Date{}
	all[62].district = ""
	return all
}

// member is the n-th person of the sample. The steps share no divisor with the
// lists' lengths, so that names and days spread.
func (g group) member(n int, today store.Date) missionary {
	stay := normalStay
	if g.short {
		stay = shortStay
	}
	m := missionary{
		branch: g.branch, district: g.district, short: g.short,
		sister:     n%5 < 2,
		arrival:    today.AddDays(g.arrives),
		generation: today.AddDays(g.arrives - online),
		departure:  today.AddDays(g.arrives + stay),
		country:    countries[n%len(countries)],
		mission:    missions[n%len(missions)],
	}
	m.birth = birth(today.AddDays(birthdayIn(n)), 18+n%7)
	m.addName(n)
	return m
}

// birthdayIn is in how many days a person has a birthday: somebody in each
// district that is not gone has one today or soon.
func birthdayIn(n int) int {
	soon := [...]int{0, 1, 3, 6, 8, 13, 19, 24, 33, 47}
	if n%4 == 0 {
		return soon[n/4%len(soon)]
	}
	return n * 37 % 365
}

// birth is the day on which somebody was born who turns age on birthday.
func birth(birthday store.Date, age int) store.Date {
	if birthday.Month == time.February && birthday.Day == 29 {
		birthday.Day = 28
	}
	birthday.Year -= age
	return birthday
}

// leapDay gives somebody of about 20 years a birth on 29 February.
func leapDay(m *missionary, today store.Date) {
	year := today.Year - 20
	year -= year % 4
	m.birth = store.Date{Year: year, Month: time.February, Day: 29}
}

func (m *missionary) addName(n int) {
	first, title := elders[n*7%len(elders)], "Elder"
	if m.sister {
		first, title = sisters[n*7%len(sisters)], "Hermana"
	}
	last, second := surnames[n*11%len(surnames)], surnames[(n*11+1+n%19)%len(surnames)]
	m.name = first + " " + last + " " + second
	if n%3 == 0 { // as in real data, most have none
		m.treatment = title
	}
	mailbox := plain.Replace(strings.ToLower(first + "." + last))
	m.missionEmail = mailbox + mailDomain
	if n%2 == 0 {
		m.personalEmail = mailbox + "@correo.example.com"
	}
}

var plain = strings.NewReplacer("á", "a", "é", "e", "í", "i", "ó", "o", "ú", "u", "ñ", "n", "ü", "u", " ", "")

var (
	elders = []string{
		"Mateo", "Santiago", "Diego", "Emiliano", "Sebastián", "Andrés", "Joaquín", "Tomás", "Benjamín", "Nicolás",
		"Gabriel", "Samuel", "Josué", "Rodrigo", "Iván", "Óscar", "Martín", "Alonso", "Esteban",
	}
	sisters = []string{
		"Valentina", "Camila", "Ximena", "Regina", "Lucía", "Mariana", "Daniela", "Abigaíl", "Renata", "Sofía",
		"Noemí", "Paola", "Raquel", "Itzel", "Belén", "Inés", "Yaretzi",
	}
	surnames = []string{
		"Pérez", "Hernández", "Quispe", "Muñoz", "Rojas", "Mamani", "Gutiérrez", "Ibáñez", "Castillo", "Ortega", "Núñez", "Vargas",
		"Aguilar", "Choque", "Espinoza", "Cárdenas", "Zúñiga", "Morales", "Ríos", "Benítez", "Salazar", "Tzul", "Del Valle",
	}
	countries = []string{"México", "Guatemala", "Perú", "Bolivia", "Honduras", "Chile", "Ecuador", "Colombia", "Estados Unidos", "Argentina", "Paraguay"}
	missions  = []string{
		"México Puebla Norte", "Guatemala Cobán", "Perú Cusco", "Chile Antofagasta", "México Mérida", "Colombia Medellín", "Honduras La Ceiba",
		"Ecuador Quito Sur", "Argentina Mendoza",
	}
)
