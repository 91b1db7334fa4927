// Package store asks a missionary training centre's MySQL (or MariaDB) four
// questions, by the two views that such a database has, and changes nothing.
//
//  1. [Open] takes a [Config] with the URL of the database. It dials nothing:
//     only a bad Config is an error. [Store.Warnings] says what was odd in it.
//  2. [Store.Arrivals], [Store.Birthdays], [Store.BranchSummaries] and
//     [Store.KPIs] run one query each.
//  3. [Store.Check] says, in Spanish and for an operator, which view or column
//     the database lacks; [Store.Inspect] looks at everything else that makes
//     reports slow or impossible.
//  4. [Store.Close] ends the connections.
//
// Days are civil [Date] values, which have no zone, from the column to the JSON.
// A row with a hole (NULL, or text that is no date) is returned with zero values
// in its place and is never an error; the caller decides what a hole is worth.
//
// Errors are told apart with errors.Is: [ErrUnavailable] is worth another try
// later, [ErrDenied] and [ErrSchema] need a person. No text of this package
// holds a password or a URL.
//
// The schema that the views stand on is made by the package
// [github.com/ccmwf/ccm/store/migrate], on an empty database only. All of it is
// tested on MySQL 9.7, MariaDB 11.8 and go-mysql-server.
package store
