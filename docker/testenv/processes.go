package testenv

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Processes are copies of the running test binary, each of which runs the test
// that started them; a variable of their environment tells it that it is one.
type Processes struct {
	tb   testing.TB
	ins  []io.Writer
	outs []*bufio.Scanner
}

// Fork starts n processes with the environment of this one and env, "NAME=value".
// They end with the test, when their standard input does.
func Fork(tb testing.TB, n int, env ...string) *Processes {
	tb.Helper()
	p := &Processes{tb: tb}
	for range n {
		c := exec.Command(os.Args[0], "-test.run=^"+tb.Name()+"$", "-test.v")
		c.Env = append(os.Environ(), env...)
		in, err1 := c.StdinPipe()
		out, err2 := c.StdoutPipe()
		if err1 != nil || err2 != nil || c.Start() != nil {
			tb.Fatal("testenv: a process does not start")
		}
		tb.Cleanup(func() { in.Close(); _ = c.Wait() })
		p.ins, p.outs = append(p.ins, in), append(p.outs, bufio.NewScanner(out))
	}
	return p
}

// Tell gives each process a line on its standard input.
func (p *Processes) Tell() {
	p.tb.Helper()
	for _, in := range p.ins {
		if _, err := fmt.Fprintln(in); err != nil {
			p.tb.Fatal(err)
		}
	}
}

// Await waits until each process has printed a line, and fails with what one that
// ended printed instead.
func (p *Processes) Await(line string) {
	p.tb.Helper()
	for _, out := range p.outs {
		var said []string
		for out.Scan() && out.Text() != line {
			said = append(said, out.Text())
		}
		if out.Text() != line {
			p.tb.Fatalf("testenv: a process did not say %q:\n%s", line, strings.Join(said, "\n"))
		}
	}
}
