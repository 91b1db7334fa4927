// Package xlsx reads the first sheet of a workbook row by row, in little memory
// and without trusting the file: [Open] it, call [Sheet.Next] until it is false,
// and look at [Sheet.Err]. Every failure is an [*Error], in Spanish, that says
// what is wrong with the file and never what stands in it.
//
// It is our own because the weekly load must cost at most half as much again as
// a bare insert: 50 000 rows of 34 cells take excelize's row iterator 10 s, this
// reader less than 1 s, and MySQL 3 s. The tests hold it to what excelize reads.
//
// The format: https://learn.microsoft.com/en-us/openspecs/office_standards/ms-xlsx/
package xlsx
