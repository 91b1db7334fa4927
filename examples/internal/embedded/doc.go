// Package embedded gives examples and tests a database with nothing installed:
// go-mysql-server, a MySQL in this process and in memory.
//
//  1. [Start] serves an empty database on a port of its own.
//  2. [StartSample] fills it with invented people as well, so that the reports
//     of any day look alive.
//
// It speaks MySQL's protocol and dialect, with root and no password. What it
// cannot do: stop a query at max_execution_time, rights on a view without those
// on its table, dates such as 0000-00-00.
package embedded
