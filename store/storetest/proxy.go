package storetest

import (
	"io"
	"net"
	"net/url"
	"sync/atomic"
	"testing"
)

// proxy stands before a database and can lose connections.
type proxy struct {
	url      string
	target   string
	drop     atomic.Int32 // how many of the next packets of clients end their connection
	packets  atomic.Int32 // of clients
	accepted atomic.Int32 // connections
}

func newProxy(t *testing.T, raw string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p := &proxy{}
	p.url = change(t, raw, func(u *url.URL) { p.target, u.Host = u.Host, l.Addr().String() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			p.accepted.Add(1)
			go p.serve(client)
		}
	}()
	return p
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := new(net.Dialer).Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		defer client.Close()
		_, _ = io.Copy(client, server) // it ends when either side does
	}()
	packet := make([]byte, 64<<10)
	for {
		n, err := client.Read(packet)
		if err != nil {
			return
		}
		p.packets.Add(1)
		if p.drop.Load() > 0 {
			p.drop.Add(-1)
			return
		}
		if _, err := server.Write(packet[:n]); err != nil {
			return
		}
	}
}
