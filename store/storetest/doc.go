// Package storetest is the contract of package store and package migrate, as
// tests that any database must pass: MySQL, MariaDB, or one in process.
//
// [Run] is what every one of them must do, and [RunServer] what only a real
// server can. Both take a function that makes empty databases, in which the
// user of the URL may create tables and views.
package storetest
