package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ccmwf/ccm/docker/testenv"
	"github.com/ccmwf/ccm/telegram/telegramtest"
)

// patience is how long anything may take before the test gives up; nothing is
// asserted about how fast it was.
const patience = 30 * time.Second

// binaryDir is where ccm-api is built, for as long as the tests run.
var binaryDir string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "ccm-e2e-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	binaryDir = dir
	testenv.Main(m)
}

// binary builds ccm-api once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(binaryDir, "ccm-api")
	build := exec.Command("go", "build", "-o", path, "github.com/ccmwf/ccm/cmd/ccm-api")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, lookAtSources("../..")
})

// lookAtSources lists every folder of the module. go test keeps a result until
// a file changes that the test looked at; it does not see what a build in the
// test reads.
func lookAtSources(root string) error {
	return filepath.WalkDir(root, func(_ string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && d.Name() == ".git" {
			return fs.SkipDir
		}
		return err
	})
}

// command prepares ccm-api with no settings but env.
func command(tb testing.TB, env []string, args ...string) *exec.Cmd {
	tb.Helper()
	path, err := binary()
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = tb.TempDir() // no .env here
	cmd.Env = env
	return cmd
}

// runCommand runs ccm-api to its end.
func runCommand(tb testing.TB, env []string, args ...string) (exit int, output string) {
	tb.Helper()
	cmd := command(tb, env, args...)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		tb.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// service is a running `ccm-api serve`.
type service struct {
	tb  testing.TB
	url string
	cmd *exec.Cmd
	log *lockedBuffer
}

// serve starts the binary and waits until it is ready.
func serve(tb testing.TB, env ...string) *service {
	tb.Helper()
	port := freePort(tb)
	s := &service{tb: tb, url: "http://127.0.0.1:" + port, log: new(lockedBuffer)}
	s.cmd = command(tb, append([]string{"API_HOST=127.0.0.1", "API_PORT=" + port, "LOG_LEVEL=DEBUG"}, env...), "serve")
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := s.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if s.cmd.ProcessState == nil {
			_ = errors.Join(s.cmd.Process.Kill(), s.cmd.Wait()) // it was killed: that is its error
		}
		if tb.Failed() {
			tb.Logf("log of ccm-api:\n%s", s.log)
		}
	})
	eventually(tb, "ccm-api is ready", func() bool {
		resp, err := http.Get(s.url + "/ready")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return s
}

// said waits until a line of the log holds words: what the process writes comes
// through a pipe.
func (s *service) said(words string) {
	s.tb.Helper()
	eventually(s.tb, "the log says "+words, func() bool { return strings.Contains(s.log.String(), words) })
}

// stop asks the process to end, as Docker does, and returns its exit code.
func (s *service) stop() int {
	s.tb.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.tb.Fatal(err)
	}
	_ = s.cmd.Wait() // the exit code says it all
	return s.cmd.ProcessState.ExitCode()
}

// answer is what the three POSTs give back, as far as these tests look.
type answer struct {
	Success        bool   `json:"success"`
	TelegramID     *int64 `json:"telegram_message_id"`
	RecordsSent    int    `json:"records_sent"`
	DatasetRecords int    `json:"dataset_records"`
	RecordsSkipped int    `json:"records_skipped"`
	ErrorCode      string `json:"error_code"`
	Uncertain      bool   `json:"uncertain"`
	Parts          []string
	Cache          *struct {
		Source string `json:"source"`
		Stale  bool   `json:"stale"`
	} `json:"cache"`
}

func (s *service) post(path, body string, header ...string) (int, answer) {
	s.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+path, strings.NewReader(body))
	if err != nil {
		s.tb.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.tb.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.tb.Fatal(err)
	}
	var a answer
	if err := json.Unmarshal(raw, &a); err != nil {
		s.tb.Fatalf("POST %s: %v in %s", path, err, raw)
	}
	return resp.StatusCode, a
}

func (s *service) get(path string) (int, string) {
	s.tb.Helper()
	resp, err := http.Get(s.url + path)
	if err != nil {
		s.tb.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.tb.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

// health returns the status of one check.
func (s *service) health(check string) string {
	s.tb.Helper()
	_, body := s.get("/health")
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

// chat is the group of the fake that the reports go to.
const chat = -1001234567890

// telegramEnv is a fake Bot API with one chat, and the settings that lead there.
func telegramEnv(tb testing.TB) (*telegramtest.Server, []string) {
	tb.Helper()
	fake := telegramtest.NewServer(tb)
	fake.AddChat(telegramtest.Chat{ID: chat, Type: "supergroup", Title: "Rama 14"})
	return fake, []string{
		"TELEGRAM_ENABLED=true",
		"TELEGRAM_API_URL=" + fake.URL,
		"TELEGRAM_BOT_TOKEN=" + fake.Token,
		fmt.Sprint("TELEGRAM_CHAT_ID=", chat),
	}
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

// eventually polls until ok, and fails after patience.
func eventually(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-tick.C {
		if ok() {
			return
		}
	}
	tb.Fatalf("waited %v in vain: %s", patience, what)
}

// lockedBuffer is a bytes.Buffer that the process writes and the test reads.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
