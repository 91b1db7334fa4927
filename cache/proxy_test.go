package cache_test

import (
	"bytes"
	"net"
	"sync"
	"sync/atomic"
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
	trap  trap
	open  []net.Conn
}

// trap severs the proxy at a command.
type trap struct {
	word     string // that the command has; "": there is no trap
	answered bool   // Redis did what it says; otherwise it has half of it
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
	unanswered := new(atomic.Bool)
	go func() { p.forward(far, near, unanswered); far.Close() }()
	go func() { p.back(near, far, unanswered); near.Close() }()
}

func (p *proxy) forward(far, near net.Conn, unanswered *atomic.Bool) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := near.Read(buffer)
		if err != nil {
			return
		}
		p.mu.Lock()
		delay, sprung := p.delay, p.trap.word != "" && bytes.Contains(buffer[:n], []byte(p.trap.word))
		half := sprung && !p.trap.answered
		if sprung {
			p.trap = trap{}
			unanswered.Store(!half)
		}
		p.mu.Unlock()
		if delay > 0 {
			<-time.After(delay)
		}
		if half {
			n /= 2
		}
		if _, err := far.Write(buffer[:n]); err != nil {
			return
		}
		if half {
			p.sever(true)
		}
	}
}

func (p *proxy) back(near, far net.Conn, unanswered *atomic.Bool) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := far.Read(buffer)
		if err != nil {
			return
		}
		if unanswered.Load() {
			p.sever(true)
			return
		}
		if _, err := near.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// set sets a trap, which springs once.
func (p *proxy) set(t trap) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trap = t
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
