package xlsx

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"unicode/utf8"
)

const (
	bufferSize = 64 << 10
	// maxTag bounds what stands between < and >: real ones have under 2 KiB.
	maxTag = 64 << 10
)

var errLongCell = fail("una celda tiene más de %d KiB de texto", MaxCell>>10)

// scanner reads XML tag by tag. It knows of XML what a workbook needs: names
// without their prefix, entities, CDATA, comments; a DOCTYPE, which could define
// more, is refused.
type scanner struct {
	in   *bufio.Reader
	keep bool // whether text is wanted

	tag     []byte // between < and >
	long    []byte // holds one that the buffer did not
	name    []byte // of the element, without prefix
	closing bool   // </name>
	alone   bool   // <name/>
	text    []byte // what stood before the tag, entities decoded; while keep
}

func newScanner(r io.Reader) *scanner { return &scanner{in: bufio.NewReaderSize(r, bufferSize)} }

// next goes on to the next tag. At the end it is io.EOF.
func (s *scanner) next() error {
	s.text = s.text[:0]
	for {
		if err := s.readText(); err != nil {
			return err
		}
		if err := s.readTag(); err != nil {
			return noEOF(err)
		}
		switch {
		case len(s.tag) == 0:
			return io.ErrUnexpectedEOF
		case s.tag[0] == '?', bytes.HasPrefix(s.tag, []byte("!--")):
		case bytes.HasPrefix(s.tag, []byte("![CDATA[")):
			if s.keep {
				s.text = append(s.text, s.tag[len("![CDATA["):len(s.tag)-len("]]")]...)
			}
		case s.tag[0] == '!':
			return fail("el libro lleva un DOCTYPE, que un .xlsx no tiene: guárdelo otra vez como .xlsx")
		default:
			s.split()
			return nil
		}
	}
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// readText reads up to the next <, and keeps it if it is wanted.
func (s *scanner) readText() error {
	from := len(s.text)
	for {
		chunk, err := s.in.ReadSlice('<')
		if s.keep {
			s.text = append(s.text, bytes.TrimSuffix(chunk, []byte("<"))...)
			if len(s.text) > MaxCell {
				return errLongCell
			}
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if s.keep && bytes.IndexByte(s.text[from:], '&') >= 0 {
			s.text = append(s.text[:from], unescape(s.text[from:])...)
		}
		return err
	}
}

// readTag reads up to the > that ends the tag. Until the next one is read, the tag
// stands in the buffer of the input, where nearly all of them fit whole.
func (s *scanner) readTag() error {
	chunk, err := s.in.ReadSlice('>')
	if err == nil && ends(chunk) {
		s.tag = chunk[:len(chunk)-1]
		return nil
	}
	s.long = append(s.long[:0], chunk...)
	for {
		switch {
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return err
		case err == nil && ends(s.long):
			s.tag = s.long[:len(s.long)-1]
			return nil
		case len(s.long) > maxTag && !bytes.HasPrefix(s.long, []byte("!")), len(s.long) > MaxCell:
			return fail("el libro tiene una etiqueta XML de más de %d KiB", maxTag>>10)
		}
		chunk, err = s.in.ReadSlice('>')
		s.long = append(s.long, chunk...)
	}
}

// ends reports whether the > at the end of tag is the one that ends it.
func ends(tag []byte) bool {
	switch {
	case tag[0] == '/':
		return true
	case bytes.HasPrefix(tag, []byte("!--")):
		return len(tag) >= len("!---->") && bytes.HasSuffix(tag, []byte("-->"))
	case bytes.HasPrefix(tag, []byte("![CDATA[")):
		return bytes.HasSuffix(tag, []byte("]]>"))
	case tag[0] == '?':
		return bytes.HasSuffix(tag, []byte("?>"))
	}
	if bytes.IndexByte(tag, '\'') < 0 {
		return bytes.Count(tag, []byte{'"'})%2 == 0
	}
	var quote byte
	for _, c := range tag {
		switch {
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case c == quote:
			quote = 0
		}
	}
	return quote == 0
}

// split takes the tag apart.
func (s *scanner) split() {
	tag := s.tag
	if s.closing = tag[0] == '/'; s.closing {
		tag = tag[1:]
	}
	if s.alone = len(tag) > 0 && tag[len(tag)-1] == '/'; s.alone {
		tag = tag[:len(tag)-1]
	}
	s.name = tag
	for i, c := range tag {
		if c <= ' ' {
			s.name = tag[:i]
			break
		}
	}
	s.tag = tag[len(s.name):]
	if colon := bytes.IndexByte(s.name, ':'); colon >= 0 {
		s.name = s.name[colon+1:]
	}
}

// opens reports whether this is <name …> or <name …/>.
func (s *scanner) opens(name string) bool { return !s.closing && string(s.name) == name }

// closes reports whether the element ends here.
func (s *scanner) closes(name string) bool {
	return (s.closing || s.alone) && string(s.name) == name
}

// attr returns an attribute of the tag, without prefix; nil if it has none.
func (s *scanner) attr(name string) []byte {
	rest := s.tag
	for {
		equals := bytes.IndexByte(rest, '=')
		if equals < 0 {
			return nil
		}
		key, value := trimBlanks(rest[:equals]), trimBlanks(rest[equals+1:])
		if len(value) == 0 {
			return nil
		}
		end := bytes.IndexByte(value[1:], value[0])
		if end < 0 {
			return nil
		}
		if colon := bytes.IndexByte(key, ':'); colon >= 0 {
			key = key[colon+1:]
		}
		if string(key) == name {
			return value[1 : 1+end]
		}
		rest = value[end+2:]
	}
}

// trimBlanks is bytes.TrimSpace for what is mostly trimmed already.
func trimBlanks(b []byte) []byte {
	for len(b) > 0 && b[0] <= ' ' {
		b = b[1:]
	}
	for len(b) > 0 && b[len(b)-1] <= ' ' {
		b = b[:len(b)-1]
	}
	return b
}

var entity = regexp.MustCompile(`&(#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6}|amp|lt|gt|quot|apos);`)

// named are the entities that XML has of its own.
var named = map[string]string{"amp": "&", "lt": "<", "gt": ">", "quot": `"`, "apos": "'"}

func unescape(text []byte) []byte {
	return entity.ReplaceAllFunc(text, func(whole []byte) []byte {
		name := string(whole[1 : len(whole)-1])
		if plain, known := named[name]; known {
			return []byte(plain)
		}
		base, digits := 10, name[1:] // after the #
		if digits[0] == 'x' {
			base, digits = 16, digits[1:]
		}
		n, err := strconv.ParseUint(digits, base, 32)
		if err != nil || n > utf8.MaxRune {
			return whole
		}
		return utf8.AppendRune(nil, rune(n))
	})
}
