package delivery_test

import (
	"bytes"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// proxy stands before a database.
type proxy struct {
	url, target string

	mu    sync.Mutex
	down  bool   // connections end, and new ones too
	lose  string // a statement that is passed on, and whose answer is lost
	stay  bool   // up after that
	conns []net.Conn
}

func newProxy(t *testing.T, raw string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{target: u.Host}
	u.Host = l.Addr().String()
	u.RawQuery = "ssl_disabled=true" // so that statements can be read
	p.url = u.String()
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(client)
		}
	}()
	return p
}

func (p *proxy) set(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down = down; down {
		for _, c := range p.conns {
			c.Close()
		}
		p.conns = nil
	}
}

// loseAnswer has the answer to the next statement with a text lost, after which
// the database cannot be reached, or can.
func (p *proxy) loseAnswer(text string, stay bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lose, p.stay = text, stay
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	p.mu.Lock()
	if p.down {
		p.mu.Unlock()
		return
	}
	p.conns = append(p.conns, client, server)
	p.mu.Unlock()
	answers := make(chan struct{})
	go func() {
		defer close(answers)
		_, _ = io.Copy(client, server) // it ends when either side does
	}()
	packet := make([]byte, 256<<10)
	for {
		n, err := client.Read(packet)
		if err != nil {
			return
		}
		lost := p.loses(packet[:n])
		if lost {
			client.Close()
		}
		if _, err := server.Write(packet[:n]); err != nil {
			return
		}
		if lost {
			_, _ = io.Copy(io.Discard, &oneAnswer{server})
			return
		}
	}
}

// oneAnswer waits until the server has answered once: then the statement is done.
type oneAnswer struct{ net.Conn }

func (o *oneAnswer) Read(b []byte) (int, error) {
	_, _ = o.Conn.Read(b)
	return 0, io.EOF
}

func (p *proxy) loses(packet []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lose == "" || !bytes.Contains(packet, []byte(p.lose)) {
		return false
	}
	p.lose, p.down = "", !p.stay
	return true
}
