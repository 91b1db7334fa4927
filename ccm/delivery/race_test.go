//go:build race

package delivery_test

// The model runs in one goroutine at a time, where there is nothing for the race
// detector to find: a few schedules show that they still work.
const schedules = 1000
