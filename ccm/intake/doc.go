// Package intake is the weekly load: it brings the workbooks of a generation
// into the table ccm_generaciones, from which every report is read. It is the
// only part of this module that writes to the database of missionaries.
//
//  1. [Open] a [Loader] on the database. It dials nothing.
//  2. [Loader.Files] loads workbooks of this machine, [Loader.Generation] those
//     of a generation that a [Source] has, such as Google Drive's in package
//     drive below this one.
//  3. Look at the [Report]: what was inserted, updated and skipped, and each row
//     or cell that was left out, by file, row and column, never by its content.
//
// # What is loaded
//
// Of each workbook (.xlsx) the first sheet: its columns by their headers, which
// may differ in case, accents and blanks and stand below titles; without any
// header by their order. A row without an id or a name is left out. A cell that
// cannot be read is left out alone: a new row has nothing in its place, and a
// known one keeps what the table has. An empty boolean is false, and how one is
// addressed is derived from Tipo.
//
// New ids are inserted, with activo = 1. Known ids are skipped; with
// Options.Force the columns that differ are updated, an empty cell too, but only
// columns that the workbook has. Rows that are equal are not touched, nor is
// activo, and nothing is ever deleted.
//
// # What holds when something fails
//
// A workbook is one transaction: it is loaded whole or not at all, and loading
// it again gives the same table. A workbook that fails does not keep the others
// from being loaded. One load runs at a time over all processes of a database,
// by a lock of the server's (GET_LOCK); another one is [ErrBusy].
//
// An adopted database may lack columns of the table, which are then left out
// and told; it must have id and nombre_misionero. The user needs SELECT and
// INSERT on the table, and UPDATE for Force; what is missing is told as the
// GRANT that mends it.
package intake
