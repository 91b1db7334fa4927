//go:build !race

package delivery_test

// schedules is how many the model plays; see race_test.go for fewer.
const schedules = 100_000
