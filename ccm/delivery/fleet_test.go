package delivery_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/telegram/telegramtest"
)

// fleet is some processes that make deliveries, die, and are started again; and
// the callers, who repeat what has a key until it is answered, as cron does.
type fleet struct {
	tb     testing.TB
	helper helper
	kill   bool   // let processes die
	only   string // at this point; "": at each in turn
	offs   []time.Duration

	fake *telegramtest.Server
	jobs chan job
	gone sync.WaitGroup // the processes' keepers

	mu       sync.Mutex
	calm     bool // nobody dies any more
	over     bool
	running  []*exec.Cmd
	left     int // jobs without a last answer
	handed   int // jobs that some process got, for the first time
	total    int
	first    map[int]bool
	finished chan struct{}
	answers  map[int]ccm.Code // the last ones; none: the caller was left without
	deaths   map[string]int   // by point
	lastDied time.Time
}

const (
	processes = 3
	inFlight  = 6 // deliveries of a process at once
	noAnswer  = ccm.Code("no answer")
)

func newFleet(tb testing.TB, url string, jobs []job) *fleet {
	fake := telegramtest.NewServer(tb)
	fake.AddChat(telegramtest.Chat{ID: crowd, Type: "supergroup", Title: "Todos"})
	f := &fleet{
		tb: tb, helper: helper{URL: url, Fake: fake.URL, Token: fake.Token}, kill: true, fake: fake,
		jobs: make(chan job, 2*len(jobs)), left: len(jobs), total: len(jobs), first: map[int]bool{}, finished: make(chan struct{}),
		answers: map[int]ccm.Code{}, deaths: map[string]int{}, offs: make([]time.Duration, processes),
	}
	for _, j := range jobs {
		f.jobs <- j
	}
	return f
}

// start starts the processes; they end with the test.
func (f *fleet) start() {
	for i := range processes {
		f.gone.Go(func() {
			for n := i; f.keep(i, n); n += processes {
			}
		})
	}
	f.tb.Cleanup(f.stop)
}

func (f *fleet) stop() {
	f.mu.Lock()
	f.over = true
	for _, c := range f.running {
		_ = c.Process.Kill() // it may be dead already
	}
	f.mu.Unlock()
	f.gone.Wait()
}

// keep runs one process until it dies, and says whether to start another.
func (f *fleet) keep(place, n int) bool {
	h := f.helper
	h.Off = f.offs[place]
	random := false
	f.mu.Lock()
	if f.kill && !f.calm {
		switch n %= len(points) + 1; {
		case f.only != "":
			h.FailAt = f.only
		case n == len(points):
			random = true
		default:
			h.FailAt = points[n]
		}
	}
	f.mu.Unlock()
	if h.Odds == 0 {
		h.Odds = 1.0 / 30
	}
	setup, err := json.Marshal(h)
	if err != nil {
		f.tb.Error(err)
		return false
	}
	c := exec.Command(os.Args[0], "-test.run", "^TestHelper$", "-test.timeout", "20m")
	c.Env = append(os.Environ(), helperEnv+"="+string(setup))
	c.Stderr = os.Stderr
	stdin, err1 := c.StdinPipe()
	stdout, err2 := c.StdoutPipe()
	f.mu.Lock()
	if f.over {
		f.mu.Unlock()
		return false
	}
	if err1 != nil || err2 != nil || c.Start() != nil {
		f.mu.Unlock()
		f.tb.Error("a process does not start")
		return false
	}
	f.running = append(f.running, c)
	f.mu.Unlock()
	if random {
		timer := time.AfterFunc(200*time.Millisecond+rand.N(2*time.Second), func() { _ = c.Process.Kill() })
		defer timer.Stop()
	}
	f.serve(c, stdin, stdout, random)
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.over
}

// serve gives a process jobs, as many at once as it may have, until it dies.
func (f *fleet) serve(c *exec.Cmd, stdin io.Writer, stdout io.Reader, random bool) {
	tokens := make(chan struct{}, inFlight)
	dead := make(chan struct{})
	var mu sync.Mutex
	open := map[int]job{}
	go func() {
		defer close(dead)
		point := "random"
		for in := bufio.NewScanner(stdout); in.Scan(); {
			var o outcome
			if json.Unmarshal(in.Bytes(), &o) != nil {
				continue // go test's own words
			}
			if o.Dying != "" {
				point = o.Dying
				continue
			}
			mu.Lock()
			j := open[o.Call]
			delete(open, o.Call)
			mu.Unlock()
			f.answered(j, o.Code)
			<-tokens
		}
		_ = c.Wait() // that it was killed is no news
		f.died(point, random)
	}()
	encoder := json.NewEncoder(stdin)
	for {
		select {
		case tokens <- struct{}{}:
		case <-dead:
		}
		select {
		case <-dead:
			mu.Lock()
			defer mu.Unlock()
			for _, j := range open {
				f.answered(j, noAnswer)
			}
			return
		case j := <-f.jobs:
			f.handOut(j)
			mu.Lock()
			open[j.Call] = j
			mu.Unlock()
			_ = encoder.Encode(j) // it may have died: dead says so
		}
	}
}

// handOut notes that a job is given out; when all have been, the dying ends.
func (f *fleet) handOut(j job) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.first[j.Call] {
		f.first[j.Call] = true
		f.handed++
		f.calm = f.handed == f.total
	}
}

func (f *fleet) died(point string, random bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over || point == "random" && !random {
		return
	}
	f.deaths[point]++
	f.lastDied = time.Now()
}

// answered is what a caller makes of an answer: with a key it asks again until
// the message is out, or nobody knows.
func (f *fleet) answered(j job, code ccm.Code) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers[j.N] = code
	again := code == noAnswer || code == ccm.CodeKeyBusy || code == ccm.CodeInternal || code == ccm.CodeJournal || code == ccm.CodeDeliveryBusy
	if again && j.Key != "" {
		time.AfterFunc(time.Second, func() { f.jobs <- j })
		return
	}
	if f.left--; f.left == 0 {
		close(f.finished)
	}
}

// await waits until every caller has a last answer.
func (f *fleet) await(patience time.Duration) {
	f.tb.Helper()
	select {
	case <-f.finished:
	case <-time.After(patience):
		f.mu.Lock()
		defer f.mu.Unlock()
		f.tb.Fatalf("after %v %d of %d callers have no last answer", patience, f.left, f.total)
	}
}

// someJobs are deliveries of one part, of two and of three; one in three has no key.
func someJobs(n int) []job {
	all := make([]job, n)
	for i := range all {
		all[i] = job{Call: i, N: i, Key: fmt.Sprintf("clave %d", i), Parts: 1}
		switch {
		case i%10 == 7:
			all[i].Parts = 3
		case i%4 == 1:
			all[i].Parts = 2
		}
		if i%3 == 2 {
			all[i].Key = ""
		}
	}
	return all
}
