package delivery_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/delivery"
	"github.com/ccmwf/ccm/telegram"
)

// helperEnv makes this test binary, started once more, one of the processes that
// the proofs kill: see TestHelper.
const helperEnv = "CCM_DELIVERY_HELPER"

const crowd = -1001234567890 // the chat of all deliveries

// helper is what such a process is told.
type helper struct {
	URL, Fake, Token string
	FailAt           string        // the point at which it kills itself; "": none
	Odds             float64       // how likely it does, each time
	Order            string        // see the orders
	Off              time.Duration // by how much its clock is wrong
}

// The points at which a process dies.
var points = []string{"before the claim", "after the claim", "in mid-write", "after acceptance", "before the record", "after the record"}

// The orders of writing and recording.
const (
	rightOrder = ""
	markFirst  = "mark sent, then send"
	markLast   = "send, then mark, retry all"
)

// job is a delivery to be made, and outcome what its caller is told.
type job struct {
	Call  int // who asks
	N     int // for what
	Key   string
	Parts int
}

type outcome struct {
	Call  int
	Code  ccm.Code
	Dying string // nothing of a job: the point at which the process is about to die
}

// title is what a message of a job begins with; body makes it as long as it must be.
func (j job) title() string { return fmt.Sprintf("E-%06d.", j.N) }

func (j job) body() string {
	return strings.Repeat("Una línea de sesenta letras, para que el envío sea más largo.\n", 1+(j.Parts-1)*65)
}

// TestHelper reads jobs and writes outcomes, a line each, until its input ends.
func TestHelper(t *testing.T) {
	setup := os.Getenv(helperEnv)
	if setup == "" {
		t.Skip("it is run by the proofs")
	}
	var h helper
	if err := json.Unmarshal([]byte(setup), &h); err != nil {
		t.Fatal(err)
	}
	if err := h.run(context.Background()); err != nil {
		t.Fatal(err)
	}
	os.Exit(0) // and print nothing more
}

func (h helper) run(ctx context.Context) error {
	out := &lines{encoder: json.NewEncoder(os.Stdout)}
	fail := &failPoint{helper: h, out: out}
	j, err := delivery.Open(delivery.Config{URL: h.URL})
	if err != nil {
		return err
	}
	c, err := ccm.Open(ccm.Config{
		Telegram: telegram.Config{Token: h.Token, BaseURL: h.Fake, Gate: openGate{}, HTTP: &http.Client{Transport: fail.transport()}},
		Chat:     telegram.Target{Chat: fmt.Sprint(crowd)},
		Journal:  &failingJournal{Journal: j, fail: fail},
		Now:      func() time.Time { return time.Now().Add(h.Off) },
	})
	if err != nil {
		return err
	}
	go func() {
		for range time.Tick(500 * time.Millisecond) {
			_, _ = c.Recover(ctx) // while the database is away it fails
		}
	}()
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var todo job
		if err := json.Unmarshal(in.Bytes(), &todo); err != nil {
			return err
		}
		go func() {
			_, err := c.SendAlert(ctx, ccm.Alert{Title: todo.title(), Body: todo.body()}, ccm.SendOptions{Key: todo.Key})
			out.write(outcome{Call: todo.Call, Code: ccm.CodeOf(err)})
		}()
	}
	return in.Err()
}

// lines are written whole.
type lines struct {
	mu      sync.Mutex
	encoder *json.Encoder
}

func (l *lines) write(o outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.encoder.Encode(o) // nobody reads any more: the end is near
}

// openGate lets everything through: the proofs are not about rates.
type openGate struct{}

func (openGate) Wait(context.Context, string) error            { return nil }
func (openGate) Hold(context.Context, string, time.Time) error { return nil }

// failPoint kills the process.
type failPoint struct {
	helper
	out *lines
}

// meets says whether the process dies at a point, this time.
func (f *failPoint) meets(point string) bool {
	return f.FailAt == point && rand.Float64() < f.Odds
}

func (f *failPoint) pass(point string) {
	if f.meets(point) {
		f.die()
	}
}

func (f *failPoint) die() {
	f.out.write(outcome{Dying: f.FailAt})
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// transport dies in the middle of a request, or at the first byte of an answer.
func (f *failPoint) transport() *http.Transport {
	return &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return &failingConn{conn, f}, err
	}, MaxIdleConnsPerHost: 16}
}

type failingConn struct {
	net.Conn
	fail *failPoint
}

func (c *failingConn) Write(b []byte) (int, error) {
	if c.fail.meets("in mid-write") {
		_, _ = c.Conn.Write(b[:len(b)/2])
		c.fail.die()
	}
	return c.Conn.Write(b)
}

func (c *failingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.fail.pass("after acceptance")
	}
	return n, err
}

// failingJournal dies around its calls, or keeps to a wrong order.
type failingJournal struct {
	ccm.Journal
	fail *failPoint
}

func (j *failingJournal) Resume(ctx context.Context, key, fingerprint string) (ccm.Record, error) {
	r, err := j.Journal.Resume(ctx, key, fingerprint)
	return r, notWithout(err)
}

func (j *failingJournal) Begin(ctx context.Context, d ccm.Delivery) (ccm.Record, error) {
	j.fail.pass("before the claim")
	r, err := j.Journal.Begin(ctx, d)
	if err == nil {
		j.fail.pass("after the claim")
	}
	return r, notWithout(err)
}

// notWithout makes an alert wait for the journal as a report does, which could go
// out unseen by the proof otherwise.
func notWithout(err error) error {
	if _, known := errors.AsType[*ccm.Error](err); err == nil || known {
		return err
	}
	return &ccm.Error{Code: ccm.CodeInternal, Message: "sin diario no", Err: err}
}

func (j *failingJournal) Mark(ctx context.Context, id string, part int, r ccm.PartResult) error {
	before := r.State == ccm.Sending
	switch {
	case j.fail.Order == markFirst && before:
		return j.Journal.Mark(ctx, id, part, ccm.PartResult{State: ccm.Delivered, Sent: telegram.Sent{ID: 1}})
	case j.fail.Order == markFirst, j.fail.Order == markLast && before:
		return nil
	case before:
		return j.Journal.Mark(ctx, id, part, r)
	}
	j.fail.pass("before the record")
	err := j.Journal.Mark(ctx, id, part, r)
	j.fail.pass("after the record")
	return err
}
