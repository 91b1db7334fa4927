package xlsx

import (
	"errors"
	"io"
	"os"
	"regexp"
	"strconv"
)

// Kind says what a cell holds.
type Kind uint8

// The kinds. Text of a Cell is the text itself, the digits of a Number or of a
// Date's serial, "1" or "0", an ISO date, or nothing.
const (
	Text    Kind = iota
	Number       // as it stands in the XML: 14, 1.4E1
	Date         // a number that is shown as a date or a time: its serial
	ISODate      // 2026-11-27 or 2026-11-27T00:00:00
	Bool
	Broken // a formula that failed (#REF!), or was never computed
)

// Cell is one that is not empty.
type Cell struct {
	Column int // from 0
	Kind   Kind
	Text   string
}

// Range is a block of cells that were merged, both ends included, from 1.
type Range struct {
	FirstRow, LastRow       int
	FirstColumn, LastColumn int // from 0
	Ref                     string
}

// Sheet is the first sheet of a workbook while it is read. It is not safe for
// concurrent use.
type Sheet struct {
	From1904 bool // day 0 of its serials is 1904-01-01, not 1899-12-31

	file   *os.File // that Open opened
	book   *book
	in     io.ReadCloser
	size   int64
	scan   *scanner
	shared sharedTexts
	dates  []bool // by style, whether it shows a date

	rows   int // seen
	row    int // its number
	cells  []Cell
	piece  []byte // of the cell's text so far
	merged []Range
	err    error
}

// Open opens a workbook at its first sheet. The caller closes it.
func Open(name string) (*Sheet, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, explain(err)
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = fail("es una carpeta y no un libro")
	}
	if err != nil {
		return nil, explain(errors.Join(err, file.Close()))
	}
	s, err := New(file, info.Size())
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	s.file = file
	return s, nil
}

// New opens a workbook that is held elsewhere, of so many bytes, at its first
// sheet. The caller closes the Sheet, which does not close the file.
func New(file io.ReaderAt, size int64) (*Sheet, error) {
	b, err := openBook(file, size)
	if err != nil {
		return nil, explain(err)
	}
	s := &Sheet{book: b}
	if err := s.open(); err != nil {
		return nil, explain(errors.Join(err, s.Close()))
	}
	return s, nil
}

func (s *Sheet) open() error {
	root, err := s.book.relations("")
	if err != nil {
		return err
	}
	main := root["#officeDocument"]
	relations, err := s.book.relations(main)
	if err != nil {
		return err
	}
	first := ""
	err = s.book.scan(main, maxSmallPart, func(x *scanner) error {
		switch {
		case x.opens("workbookPr"):
			switch string(x.attr("date1904")) {
			case "1", "true", "on":
				s.From1904 = true
			}
		case x.opens("sheet") && first == "":
			first = relations[string(x.attr("id"))]
		}
		return nil
	})
	if err != nil {
		return err
	}
	if first == "" {
		return fail("el libro no tiene ninguna hoja")
	}
	if err := s.readTexts(relations["#sharedStrings"]); err != nil {
		return err
	}
	if err := s.readStyles(relations["#styles"]); err != nil {
		return err
	}
	s.in, s.size, err = s.book.open(first, MaxUnpacked)
	if err == nil {
		s.scan = newScanner(s.in)
	}
	return err
}

// Close frees the file.
func (s *Sheet) Close() error {
	if s.in != nil {
		_ = s.in.Close() // of a part that may not have been read to its end
	}
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// Err is why Next ended early; nil at the end of a sound sheet.
func (s *Sheet) Err() error { return s.err }

// Row is the number of the row that Next found, from 1.
func (s *Sheet) Row() int { return s.row }

// Cells are the cells of the row that are not empty, from left to right, until
// the next Next.
func (s *Sheet) Cells() []Cell { return s.cells }

// Merged are the merged blocks, once Next was false.
func (s *Sheet) Merged() []Range { return s.merged }

// Progress is how much of the sheet was read, from 0 to 1.
func (s *Sheet) Progress() float64 {
	p, ok := s.in.(*part)
	if !ok || s.size <= 0 {
		return 0
	}
	return min(1, float64(MaxUnpacked-p.left)/float64(s.size))
}

// Next goes on to the next row, which may be empty. It is false at the end, or
// when the sheet cannot be read any further: see Err.
func (s *Sheet) Next() bool {
	if s.err != nil || s.scan == nil {
		return false
	}
	found, err := s.nextRow()
	if err != nil {
		s.err = explain(err)
	}
	return found && err == nil
}

func (s *Sheet) nextRow() (bool, error) {
	for {
		if err := s.scan.next(); errors.Is(err, io.EOF) {
			s.scan = nil
			if s.rows == 0 && s.size == 0 {
				return false, io.ErrUnexpectedEOF
			}
			return false, nil
		} else if err != nil {
			return false, err
		}
		switch {
		case s.scan.opens("row"):
			return true, s.readRow()
		case s.scan.opens("mergeCell"):
			if err := s.readMerged(); err != nil {
				return false, err
			}
		}
	}
}

func (s *Sheet) readRow() error {
	if s.rows++; s.rows > MaxRows {
		return fail("la hoja tiene más de %d filas, contando las vacías que tienen formato: borre las que sobran al final", MaxRows)
	}
	s.row++
	if r := s.scan.attr("r"); r != nil {
		n, err := strconv.Atoi(string(r))
		if err != nil || n < 1 {
			return fail("el libro está dañado: una fila no tiene un número válido")
		}
		s.row = n
	}
	s.cells = s.cells[:0]
	column := -1
	for !s.scan.closes("row") {
		if err := s.scan.next(); err != nil {
			return noEOF(err)
		}
		if !s.scan.opens("c") {
			continue
		}
		column++
		if ref := s.scan.attr("r"); ref != nil {
			column = columnOf(ref)
		}
		if err := s.readCell(column); err != nil {
			return err
		}
	}
	return nil
}

// readCell reads one cell and keeps it unless it is empty.
func (s *Sheet) readCell(column int) error {
	kind := string(s.scan.attr("t"))
	style, _ := strconv.Atoi(string(s.scan.attr("s")))
	text, formula, err := s.cellText()
	if err != nil || text == "" && !formula {
		return err
	}
	if column < 0 || column >= MaxColumns {
		return fail("la fila %d tiene algo más allá de la columna %s: la hoja no es la de una generación", s.row, ColumnName(MaxColumns-1))
	}
	cell := Cell{Column: column, Text: text}
	if text == "" { // a formula that was never computed
		kind = "e"
	}
	switch kind {
	case "", "n":
		cell.Kind = Number
		if style >= 0 && style < len(s.dates) && s.dates[style] {
			cell.Kind = Date
		}
	case "s":
		if cell.Text, err = s.shared.at(text); err != nil || cell.Text == "" {
			return err
		}
	case "b":
		cell.Kind = Bool
	case "e":
		cell.Kind = Broken
	case "d":
		cell.Kind = ISODate
	default: // inlineStr, str
		cell.Text = unescapeControl(text)
	}
	s.cells = append(s.cells, cell)
	return nil
}

// cellText reads up to the end of a cell: its value, and whether it has a formula.
func (s *Sheet) cellText() (text string, formula bool, err error) {
	if s.scan.alone {
		return "", false, nil
	}
	phonetic := false
	s.piece = s.piece[:0]
	for {
		if err := s.scan.next(); err != nil {
			return "", false, noEOF(err)
		}
		switch {
		case s.scan.opens("f"):
			formula = true
		case s.scan.opens("rPh"):
			phonetic = !s.scan.alone
		case s.scan.closes("rPh"):
			phonetic = false
		case s.scan.opens("v"), s.scan.opens("t") && !phonetic:
			s.scan.keep = !s.scan.alone
		case s.scan.keep:
			s.piece = append(s.piece, s.scan.text...)
			s.scan.keep = false
			if len(s.piece) > MaxCell {
				return "", false, errLongCell
			}
		case s.scan.closes("c"):
			return string(s.piece), formula, nil
		}
	}
}

var block = regexp.MustCompile(`^\$?([A-Z]{1,3})\$?([0-9]{1,7}):\$?([A-Z]{1,3})\$?([0-9]{1,7})$`)

func (s *Sheet) readMerged() error {
	if len(s.merged) == maxMerged {
		return fail("la hoja tiene más de %d bloques de celdas combinadas: sepárelas", maxMerged)
	}
	found := block.FindSubmatch(s.scan.attr("ref"))
	if found == nil {
		return nil // one cell, or no block at all
	}
	r := Range{Ref: string(found[0]), FirstColumn: columnOf(found[1]), LastColumn: columnOf(found[3])}
	r.FirstRow, _ = strconv.Atoi(string(found[2]))
	r.LastRow, _ = strconv.Atoi(string(found[4]))
	s.merged = append(s.merged, r)
	return nil
}
