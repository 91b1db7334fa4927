package testenv

import (
	"net"
	"testing"
)

// Hang listens at address, and takes every connection without ever answering:
// what it gets is in dialled, for a test to count. It ends with the test.
func Hang(tb testing.TB) (address string, dialled <-chan net.Conn) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { l.Close() })
	all := make(chan net.Conn, 100)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all <- conn
		}
	}()
	return l.Addr().String(), all
}
