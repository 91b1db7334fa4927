package delivery_test

import (
	"fmt"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/delivery"
)

// A service keeps its journal in MySQL. Nothing is dialled before something is sent.
func ExampleOpen() {
	j, err := delivery.Open(delivery.Config{URL: "mysql://ccm:secreto@base.example.org/ccm_diario"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer j.Close()
	c, err := ccm.Open(ccm.Config{Journal: j})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	fmt.Println("Los textos se guardan", delivery.DefaultRetention)
	// Output: Los textos se guardan 720h0m0s
}
