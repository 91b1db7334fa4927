package cache_test

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// proxy stands between a replica and Redis.
type proxy struct {
	address string // its own
	target  string

	mu    sync.Mutex
	delay time.Duration // of each read, on its way to Redis
	cut   bool          // refuses
	open  []net.Conn
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{address: l.Addr().String(), target: target}
	t.Cleanup(func() { l.Close(); p.sever(true) })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			p.serve(conn)
		}
	}()
	return p
}

func (p *proxy) serve(near net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	far, err := net.Dial("tcp", p.target)
	if err != nil || p.cut {
		near.Close()
		return
	}
	p.open = append(p.open, near, far)
	go func() { _, _ = io.Copy(near, far); near.Close() }()
	go func() { p.forward(far, near); far.Close() }()
}

func (p *proxy) forward(far, near net.Conn) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := near.Read(buffer)
		if err != nil {
			return
		}
		p.mu.Lock()
		delay := p.delay
		p.mu.Unlock()
		if delay > 0 {
			<-time.After(delay)
		}
		if _, err := far.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// slow has each read wait on its way.
func (p *proxy) slow(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// sever breaks all connections, and refuses new ones until it is undone.
func (p *proxy) sever(cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = cut
	for _, c := range p.open {
		c.Close()
	}
	p.open = nil
}
