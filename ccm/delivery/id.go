package delivery

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"regexp"
	"time"
)

// idForm is what newID makes: 26 characters, in the order of time.
var (
	idForm   = regexp.MustCompile(`^[0-9A-V]{26}$`)
	encoding = base32.HexEncoding.WithPadding(base32.NoPadding)
)

// newID is a name for a delivery: six bytes of time, so that new rows lie
// together in the table, and ten that nobody guesses.
func newID(now time.Time) string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	var millis [8]byte
	binary.BigEndian.PutUint64(millis[:], uint64(now.UnixMilli()))
	copy(b[:6], millis[2:])
	return encoding.EncodeToString(b[:])
}

// hash is what a key is found by; nil of none.
func hash(key string) []byte {
	if key == "" {
		return nil
	}
	sum := sha256.Sum256([]byte(key))
	return sum[:]
}
