package oauth

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// maxFile is far over any credentials: who names a wrong file shall not have it
// read.
const maxFile = 64 << 10

// readFile reads a JSON file.
func readFile(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fileError(file, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = errTooLong
	}
	if err != nil {
		return nil, fileError(file, err)
	}
	return data, nil
}

// pickleMark is the first byte of a pickle of protocol 2 and later.
// https://docs.python.org/3/library/pickletools.html (PROTO)
const pickleMark = 0x80

// decode reads JSON that was in file.
func decode(file string, data []byte, into any) error {
	if len(data) > 0 && data[0] == pickleMark {
		return &Error{File: file, Hint: hintPickle, Err: errPickle}
	}
	if json.Unmarshal(data, into) != nil { // its error quotes the text
		return &Error{File: file, Hint: hintNotJSON, Err: errNotJSON}
	}
	return nil
}

// writeFile replaces a file at once, readable by this user alone, and returns
// what it is now. Where the name is a link, what that leads to is replaced.
func writeFile(file string, data []byte) (os.FileInfo, error) {
	file = followed(file)
	f, err := createBeside(file)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	info, statErr := f.Stat()
	if err = errors.Join(err, statErr, f.Close()); err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return nil, errors.Join(err, os.Remove(f.Name()))
	}
	return info, nil
}

// followed is where a link leads; what is none leads to itself.
func followed(file string) string {
	if target, err := filepath.EvalSymlinks(file); err == nil {
		return target
	}
	return file
}

// createBeside makes a file of mode 0600 that may take the place of another.
func createBeside(file string) (*os.File, error) {
	return os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*")
}

// checkWritable reports why writeFile could not replace a file.
func checkWritable(file string) error {
	f, err := createBeside(followed(file))
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// seen is a file as it was when it was read.
type seen struct {
	file string
	info os.FileInfo // nil: it was not there
}

func see(file string) seen {
	info, err := os.Stat(file)
	if err != nil {
		return seen{file: file}
	}
	return seen{file, info}
}

// replaced reports whether the file is another now. One that is gone is not: it
// may be on its way.
func (s seen) replaced() bool {
	now, err := os.Stat(s.file)
	if err != nil {
		return false
	}
	return s.info == nil || !os.SameFile(s.info, now) || s.info.Size() != now.Size() || !s.info.ModTime().Equal(now.ModTime())
}
