// Package stack_test runs the images and compose.yaml as an operator does, and
// looks at what becomes of them: when parts die, when secrets are looked for,
// when one setting of the hardening is taken away.
package stack_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ccmwf/ccm/docker/testenv"
)

const (
	// patience is how long anything may take before a test gives up.
	patience = 45 * time.Second
	// startPatience is the same for a whole stack, on a machine that builds too.
	startPatience = 2 * time.Minute
)

// tag is of the images that this run of the tests builds.
var tag = fmt.Sprintf("test-%d", os.Getpid())

func TestMain(m *testing.M) {
	if os.Getenv(stackEnv) == "1" {
		sweep()
	}
	testenv.Main(m)
	if built, err := checkout(); err == nil {
		for _, image := range []string{"ccm-api:" + tag, "ccm-api:" + tag + "-release", "ccm-sandbox:" + tag} {
			_ = exec.Command("docker", "image", "rm", "--force", image).Run() // it may never have been built
		}
		_ = os.RemoveAll(built)
	}
}

// sweep takes down what a run left behind that was killed.
func sweep() {
	out, _ := exec.Command("docker", "ps", "--all", "--format", `{{.Label "com.docker.compose.project"}}`).Output() // without Docker there is nothing
	for project := range strings.FieldsSeq(string(out)) {
		rest, ours := strings.CutPrefix(project, "ccm-test-")
		pid, _, _ := strings.Cut(rest, "-")
		if !ours {
			continue
		}
		if _, err := os.Stat("/proc/" + pid); errors.Is(err, os.ErrNotExist) {
			_ = exec.Command("docker", "compose", "--project-name", project, "down", "--volumes", "--timeout", "1").Run()
		}
	}
}

// stackEnv asks for these tests: they build images and take minutes, which is not
// what somebody wants who changes a line and runs go test ./...
const stackEnv = "CCM_STACK_TESTS"

// needCompose leaves the test out where it was not asked for, or where there is no
// Docker with Compose and Buildx, and the images of docker/bases.
func needCompose(tb testing.TB) {
	tb.Helper()
	if os.Getenv(stackEnv) != "1" {
		testenv.LeaveOut(tb, "con la pila de Docker Compose (CCM_STACK_TESTS=1 go test -timeout 40m ./docker/stack)")
	}
	if err := composeThere(); err != nil {
		testenv.Omit(tb, err)
	}
}

var composeThere = sync.OnceValue(func() error {
	for _, args := range [][]string{{"version"}, {"compose", "version"}, {"buildx", "version"}} {
		if err := exec.Command("docker", args...).Run(); err != nil {
			return fmt.Errorf("docker %s: %w", strings.Join(args, " "), err)
		}
	}
	for _, image := range []string{"redis:8", "mysql:9.7", "golang:1.26"} {
		if exec.Command("docker", "image", "inspect", image).Run() == nil {
			continue
		}
		if out, err := exec.Command("docker", "pull", "--quiet", image).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", image, err, bytes.TrimSpace(out))
		}
	}
	return nil
})

// checkout is a copy of the repository as a clone would be: what git knows or
// would take, so no .env of whoever runs the tests.
var checkout = sync.OnceValues(func() (string, error) {
	if err := composeThere(); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "ccm-stack-")
	if err != nil {
		return "", err
	}
	return dir, copyTree(dir)
})

// copyTree copies the repository to dir.
func copyTree(dir string) error {
	root, err := filepath.Abs("../..")
	if err != nil {
		return err
	}
	list := exec.Command("git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		return fmt.Errorf("git ls-files: %w", err)
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		data, err := os.ReadFile(filepath.Join(root, name))
		if errors.Is(err, os.ErrNotExist) {
			continue // deleted, not committed yet
		}
		if err != nil {
			return err
		}
		info, err := os.Stat(filepath.Join(root, name))
		if err != nil {
			return err
		}
		to := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, data, info.Mode().Perm()); err != nil {
			return err
		}
	}
	return nil
}

// images builds both images once for all tests.
var images = sync.OnceValue(func() error {
	dir, err := checkout()
	if err != nil {
		return err
	}
	build := exec.Command("docker", "compose", "--profile", "dev", "build")
	build.Dir, build.Env = dir, append(os.Environ(), "CCM_TAG="+tag)
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("docker compose build: %w\n%s", err, out)
	}
	return nil
})

// stack is a Compose project of one test, in a folder of its own.
type stack struct {
	tb      testing.TB
	dir     string   // a checkout
	project string   // its name
	env     []string // beside the process's own
	global  []string // options of docker compose: --profile dev
	url     string   // of ccm-api
	sandbox string   // of the fake Telegram
}

// newStack prepares a project of the checkout; nothing runs yet. All that it
// starts goes when the test ends.
func newStack(tb testing.TB, global ...string) *stack {
	tb.Helper()
	needCompose(tb)
	if err := images(); err != nil {
		tb.Fatal(err)
	}
	s := &stack{tb: tb, dir: tb.TempDir(), project: fmt.Sprintf("ccm-test-%d-%d", os.Getpid(), rand.IntN(1_000_000)), global: global}
	if err := copyTree(s.dir); err != nil {
		tb.Fatal(err)
	}
	api, sandbox := freePort(tb), freePort(tb)
	s.url, s.sandbox = "http://127.0.0.1:"+api, "http://127.0.0.1:"+sandbox
	s.env = []string{"CCM_TAG=" + tag, "CCM_PORT=" + api, "CCM_SANDBOX_PORT=" + sandbox}
	tb.Cleanup(func() {
		if tb.Failed() {
			out, _ := s.try("logs", "--no-color", "--tail", "60")
			tb.Logf("logs of the stack:\n%s", out)
		}
		if out, err := s.try("down", "--volumes", "--remove-orphans", "--timeout", "5"); err != nil {
			tb.Errorf("down: %v\n%s", err, out)
		}
	})
	return s
}

// write makes a file in the checkout, for everybody to read.
func (s *stack) write(name, content string) {
	s.tb.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.tb.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		s.tb.Fatal(err)
	}
}

// try runs docker compose and returns all that it printed.
func (s *stack) try(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*startPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "docker", append(append([]string{"compose", "--project-name", s.project, "--progress", "plain"}, s.global...), args...)...)
	cmd.Dir, cmd.Env = s.dir, append(os.Environ(), s.env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// compose runs docker compose, which must succeed.
func (s *stack) compose(args ...string) string {
	s.tb.Helper()
	out, err := s.try(args...)
	if err != nil {
		s.tb.Fatalf("docker compose %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// up starts the stack and waits until it is healthy.
func (s *stack) up(args ...string) {
	s.tb.Helper()
	s.compose(append([]string{"up", "--detach", "--wait", "--wait-timeout", strconv.Itoa(int(startPatience.Seconds()))}, args...)...)
}

// container is the id of the first container of a service, running or not.
func (s *stack) container(service string) string {
	s.tb.Helper()
	ids := strings.Fields(s.compose("ps", "--all", "--quiet", service))
	if len(ids) == 0 {
		s.tb.Fatalf("there is no container of %s", service)
	}
	return ids[0]
}

// logs is what a service has printed.
func (s *stack) logs(service string) string {
	s.tb.Helper()
	return s.compose("logs", "--no-color", "--no-log-prefix", service)
}

// docker runs docker, which must succeed.
func docker(tb testing.TB, args ...string) string {
	tb.Helper()
	out, err := dockerOutput(args...)
	if err != nil {
		tb.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// answer is what the three POSTs give back, as far as these tests look.
type answer struct {
	Success        bool   `json:"success"`
	TelegramID     *int64 `json:"telegram_message_id"`
	DatasetRecords int    `json:"dataset_records"`
	ErrorCode      string `json:"error_code"`
	Description    string `json:"error_description"`
	Uncertain      bool   `json:"uncertain"`
	Cache          *struct {
		Source string `json:"source"`
		Stale  bool   `json:"stale"`
	} `json:"cache"`
}

const (
	arrivals  = "/telegram/proximos-ingresos"
	birthdays = "/telegram/proximos-cumpleanos"
	alert     = "/telegram/alerta"
)

// post asks ccm-api; header is name, value, …
func (s *stack) post(path, body string, header ...string) (int, answer) {
	s.tb.Helper()
	status, raw, err := s.ask(http.MethodPost, s.url+path, body, header...)
	if err != nil {
		s.tb.Fatal(err)
	}
	var a answer
	if err := json.Unmarshal([]byte(raw), &a); err != nil {
		s.tb.Fatalf("POST %s: %v in %s", path, err, raw)
	}
	return status, a
}

// ask sends one request.
func (s *stack) ask(method, url, body string, header ...string) (status int, answer string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(raw), err
}

// health is the status of one check of /health: ok, down or off.
func (s *stack) health(check string) string {
	s.tb.Helper()
	_, body, err := s.ask(http.MethodGet, s.url+"/health", "")
	if err != nil {
		return err.Error()
	}
	var h struct {
		Checks map[string]struct {
			Status string `json:"status"`
		} `json:"checks"`
	}
	if err := json.Unmarshal([]byte(body), &h); err != nil {
		s.tb.Fatalf("GET /health: %v in %s", err, body)
	}
	return h.Checks[check].Status
}

// messages are the texts that the fake's chat got.
func (s *stack) messages() []string {
	s.tb.Helper()
	_, body, err := s.ask(http.MethodGet, s.sandbox+"/sandbox/messages", "")
	if err != nil {
		s.tb.Fatal(err)
	}
	var all []struct{ Text string }
	if err := json.Unmarshal([]byte(body), &all); err != nil {
		s.tb.Fatalf("%v in %s", err, body)
	}
	texts := make([]string, len(all))
	for i, m := range all {
		texts[i] = m.Text
	}
	return texts
}

// fault is what goes wrong at the fake's next sendMessage, as JSON.
func (s *stack) fault(fault string) {
	s.tb.Helper()
	status, body, err := s.ask(http.MethodPost, s.sandbox+"/sandbox/faults", fault)
	if err != nil || status != http.StatusNoContent {
		s.tb.Fatal(status, body, err)
	}
}

// eventually polls until ok, and fails after patience.
func eventually(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	eventuallyEvery(tb, 50*time.Millisecond, what, ok)
}

func eventuallyEvery(tb testing.TB, pause time.Duration, what string, ok func() bool) {
	tb.Helper()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-tick.C {
		if ok() {
			return
		}
	}
	tb.Fatalf("waited %v in vain: %s", patience, what)
}

func freePort(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}
