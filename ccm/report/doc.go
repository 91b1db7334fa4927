// Package report puts datasets and alerts into words, in Spanish, as a
// [telegram.Message]. Its functions are pure: what they say depends on their
// arguments only.
//
// Call [Arrivals], [Birthdays] or [Alert], and give the result to
// [telegram.Render]. ccm.Client does both; this package is for a service that
// has records of its own.
//
// The words are fixed by golden files in testdata, made anew by
//
//	go test ./ccm/report -update
package report
