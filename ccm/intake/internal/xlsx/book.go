package xlsx

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"math"
	"path"
	"strings"
)

// Limits of a workbook. A real one, of some hundred people, has 100 KiB.
const (
	MaxFile     = 16 << 20  // bytes of the file; 100 000 people have 12 MiB
	MaxUnpacked = 256 << 20 // bytes of the sheet as XML
	MaxText     = 16 << 20  // bytes of all distinct texts together
	MaxCell     = 256 << 10 // bytes of one cell; Excel ends at 32 767 characters
	MaxRows     = 100_000   // empty ones count
	MaxColumns  = 256       // with anything in them

	maxSmallPart = 1 << 20 // bytes of the parts that only say where the others are
	maxDirectory = 1 << 20 // bytes of the list of parts: room for 10 000
	maxStyles    = 8 << 20
	maxMerged    = 1000
)

// ErrTooLarge is what a file over MaxFile is refused with.
var ErrTooLarge = fail("el archivo pasa de %d MiB: divídalo, o quítele las imágenes", MaxFile>>20)

// book is a workbook's parts.
type book struct {
	parts map[string]*zip.File // by lower-case path
}

// openBook finds out whether a file is a workbook at all.
func openBook(file io.ReaderAt, size int64) (*book, error) {
	switch {
	case size == 0:
		return nil, fail("el archivo está vacío")
	case size > MaxFile:
		return nil, ErrTooLarge
	}
	if err := sniff(file); err != nil {
		return nil, err
	}
	budget := &meteredReader{file, maxDirectory}
	packed, err := zip.NewReader(budget, size)
	if err != nil {
		return nil, err
	}
	b := &book{parts: map[string]*zip.File{}}
	budget.left = math.MaxInt64 // from here on every part has a limit of its own
	for _, f := range packed.File {
		b.parts[strings.ToLower(strings.ReplaceAll(f.Name, `\`, "/"))] = f
	}
	return b, nil
}

// meteredReader stops a list of parts that is too long while it is read, before
// it fills the memory.
type meteredReader struct {
	io.ReaderAt
	left int64
}

// ReadAt reads until too much was read.
func (m *meteredReader) ReadAt(p []byte, at int64) (int, error) {
	if m.left -= int64(len(p)); m.left < 0 {
		return 0, fail("el libro tiene demasiadas partes: guárdelo otra vez como .xlsx")
	}
	return m.ReaderAt.ReadAt(p, at)
}

// Signatures of what is mistaken for a workbook.
// https://learn.microsoft.com/en-us/openspecs/windows_protocols/ms-cfb/
var (
	oleSignature = []byte{0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1}
	zipSignature = []byte("PK\x03\x04")
)

// sniff tells the usual impostors from a workbook.
func sniff(r io.ReaderAt) error {
	head := make([]byte, 512)
	n, err := r.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	head = head[:n]
	switch trimmed := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xEF\xBB\xBF")), " \t\r\n"); {
	case bytes.HasPrefix(head, zipSignature):
		return nil
	case bytes.HasPrefix(head, oleSignature):
		return fail("es un .xls antiguo o un libro con contraseña: guárdelo como .xlsx sin contraseña")
	case bytes.HasPrefix(trimmed, []byte("<")):
		return fail("es una página HTML o un XML con nombre de libro: ábralo y guárdelo como .xlsx")
	}
	return fail("no es un libro .xlsx: ábralo y guárdelo como .xlsx")
}

// open opens a part that may not unpack to more than limit.
func (b *book) open(name string, limit int64) (io.ReadCloser, int64, error) {
	f := b.parts[strings.ToLower(name)]
	if f == nil {
		return nil, 0, fail("no es un libro .xlsx: le falta %s", name)
	}
	size := b.size(name)
	if size > limit {
		return nil, 0, fail("el libro se desempaqueta a más de %d MiB: quítele filas, formatos o imágenes", limit>>20)
	}
	packed, err := f.Open()
	if err != nil {
		return nil, 0, err
	}
	return &part{packed, limit}, size, nil
}

// size is what the header of a part says of its size unpacked; 0: there is none.
func (b *book) size(name string) int64 {
	if f := b.parts[strings.ToLower(name)]; f != nil {
		return int64(min(f.UncompressedSize64, 1<<62))
	}
	return 0
}

// part is a part while it is unpacked. What its header says of its size may be
// a lie.
type part struct {
	io.ReadCloser
	left int64
}

// Read unpacks until too much was unpacked.
func (p *part) Read(to []byte) (int, error) {
	n, err := p.ReadCloser.Read(to)
	if p.left -= int64(n); p.left < 0 {
		return 0, fail("el libro se desempaqueta a más de lo que dice su propio índice: no es de fiar")
	}
	return n, err
}

// scan calls visit at each tag of a part.
func (b *book) scan(name string, limit int64, visit func(*scanner) error) error {
	in, _, err := b.open(name, limit)
	if err != nil {
		return err
	}
	defer in.Close()
	s := newScanner(in)
	for {
		if err := s.next(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := visit(s); err != nil {
			return err
		}
	}
}

// relations returns what a part refers to, by id, as paths in the file; and by
// the last word of their type, with a # before it.
func (b *book) relations(of string) (map[string]string, error) {
	dir, base := path.Split(of)
	found := map[string]string{}
	err := b.scan(dir+"_rels/"+base+".rels", maxSmallPart, func(s *scanner) error {
		if s.opens("Relationship") && string(s.attr("TargetMode")) != "External" {
			target := string(unescape(s.attr("Target")))
			if !strings.HasPrefix(target, "/") {
				target = dir + target
			}
			target = strings.TrimPrefix(path.Clean(target), "/")
			found[string(s.attr("Id"))] = target
			found["#"+path.Base(string(s.attr("Type")))] = target
		}
		return nil
	})
	return found, err
}
