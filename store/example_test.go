package store_test

import (
	"fmt"
	"time"

	"github.com/ccmwf/ccm/store"
)

func Example() {
	zone := time.FixedZone("centro", -6*60*60)
	s, err := store.Open(store.Config{
		URL:      "mysql+pymysql://ccm:s3creto#1@db.example.org/gente?charset=utf8mb4&local_infile=1",
		Location: zone,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	fmt.Println(s.Warnings())
	// From here on the database is dialled:
	//
	//	today := store.DateOf(time.Now().In(zone))
	//	arrivals, err := s.Arrivals(ctx, store.Window{Branch: 14, From: today, Days: 60})
	//	birthdays, err := s.Birthdays(ctx, store.Window{Branch: 14, From: today, Days: 90}, "Virtual", "CCM")

	// Output: [el parámetro «local_infile» de la URL de la base de datos no se conoce y se omite]
}

func ExampleURL() {
	fmt.Println(store.URL("ccm", "c@fé/1", "db.example.org", 3306, "gente"))
	// Output: mysql://ccm:c%40f%C3%A9%2F1@db.example.org:3306/gente
}

func ExampleOpen_badURL() {
	_, err := store.Open(store.Config{URL: "mysql://ccm:s3cr@to@db.example.org/gente"})
	fmt.Println(err)
	// Output: store: the URL has one @ too many: inside the password or a parameter it must be written %40
}
