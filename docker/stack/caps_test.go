package stack_test

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matryer/is"
)

// TestPlainStackIsHealthyWithin15Seconds is the two services that production
// runs, with nothing set: they serve, and say what is missing.
func TestPlainStackIsHealthyWithin15Seconds(t *testing.T) {
	is := is.New(t)
	s := newStack(t)
	s.write(".env", "DATABASE_URL=mysql://lector:clave@base.invalid:3306/ccm\n")
	began := time.Now()
	s.up()
	took := time.Since(began)
	t.Logf("healthy %v after docker compose up --wait", took.Round(10*time.Millisecond))
	is.True(took < 15*time.Second)
	eventually(t, "the log says what is missing", func() bool {
		log := s.logs("ccm-api")
		return strings.Contains(log, `"revisar":"base de datos"`) && strings.Contains(log, "base.invalid")
	})
}

// TestStartAndIdleOfTheImage measures what docs/benchmarks.md says of the process:
// from its start, as Docker tells it, to its first answer; and what it holds in
// memory when nobody asks for anything.
func TestStartAndIdleOfTheImage(t *testing.T) {
	is := is.New(t)
	needCompose(t)
	is.NoErr(images())
	port := freePort(t)
	// On the host's network: on a bridge, who asks too early waits for ARP's next try.
	id := strings.TrimSpace(docker(t, "create", "--network", "host", "--env", "API_HOST=127.0.0.1", "--env", "API_PORT="+port,
		"--env", "DATABASE_URL=mysql://lector:clave@127.0.0.1:9/ccm", "ccm-api:"+tag))
	t.Cleanup(func() { docker(t, "rm", "--force", id) })
	go func() { _ = exec.Command("docker", "start", id).Run() }() // its failure is that nobody answers
	var answered time.Time
	eventuallyEvery(t, time.Millisecond, "it answers", func() bool {
		resp, err := http.Get("http://127.0.0.1:" + port + "/ready")
		if err != nil {
			return false
		}
		resp.Body.Close()
		answered = time.Now()
		return resp.StatusCode == http.StatusOK
	})
	started, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(docker(t, "inspect", "--format", "{{.State.StartedAt}}", id)))
	is.NoErr(err)
	status := docker(t, "run", "--rm", "--network", "none", "--pid", "container:"+id, "--user", "65532:65532", "--entrypoint", "cat", "redis:8", "/proc/1/status")
	found := regexp.MustCompile(`VmRSS:\s+([0-9]+) kB`).FindStringSubmatch(status)
	is.Equal(len(found), 2)
	resident, err := strconv.Atoi(found[1])
	is.NoErr(err)
	t.Logf("first answer %v after the start; idle, resident: %.1f MB", answered.Sub(started).Round(time.Millisecond), float64(resident)/1024)
	is.True(resident < 25<<10)
}

// TestTenThousandRequestsStayWithinTheMemory asks for warm reports and alerts,
// sixteen at once, which are rendered and not sent.
func TestTenThousandRequestsStayWithinTheMemory(t *testing.T) {
	is := is.New(t)
	v := &victim{stack: newStack(t, "--profile", "dev")}
	v.up()
	const requests, clients = 10_000, 16
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	var failures atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for range clients {
		all.Go(func() {
			for i := range requests / clients {
				path, body := arrivals, dry
				if i%2 == 0 {
					path, body = alert, `{"title": "Prueba", "body": "Algo falló", "dry_run": true}`
				}
				resp, err := client.Post(v.url+path, "application/json", strings.NewReader(body))
				if err != nil {
					failures.Add(1)
					continue
				}
				if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
					failures.Add(1)
				}
				resp.Body.Close()
			}
		})
	}
	all.Wait()
	peak := v.peakMemory("ccm-api")
	t.Logf("%d requests in %v; the container's memory was at most %.1f MiB", requests, time.Since(began).Round(time.Millisecond), float64(peak)/(1<<20))
	is.Equal(failures.Load(), int64(0))
	is.True(peak > 1<<20)
	is.True(peak < 128<<20) // mem_limit
	is.Equal(v.state("ccm-api", "{{.RestartCount}} {{.State.OOMKilled}}"), "0 false")
}

// peakMemory is the most that a service's container ever used, page cache
// included, as the kernel counts it; cgroup v1 and v2 have it in different places.
func (v *victim) peakMemory(service string) int64 {
	v.tb.Helper()
	id := v.state(service, "{{.Id}}")
	out := docker(v.tb, "run", "--rm", "--volume", "/sys/fs/cgroup:/host:ro", "golang:1.26", "bash", "-c",
		fmt.Sprintf("cat /host/memory/docker/%[1]s/memory.max_usage_in_bytes /host/system.slice/docker-%[1]s.scope/memory.peak /host/docker/%[1]s/memory.peak 2>/dev/null || true", id))
	peak, err := strconv.ParseInt(strings.TrimSpace(out), 10, 64)
	if err != nil {
		v.tb.Fatalf("no peak of memory: %q", out)
	}
	return peak
}

// TestAGigabyteOfLogLeavesLittleOnTheDisk has a stranger write 1 GB of log lines
// under the logging settings of ccm-api, and looks what Docker kept. What the
// volume of log files keeps beside it is tested in cmd/ccm-api.
func TestAGigabyteOfLogLeavesLittleOnTheDisk(t *testing.T) {
	is := is.New(t)
	v := &victim{stack: newStack(t)}
	line := `{"timestamp_utc":"2026-11-27T12:00:00.000Z","nivel":"INFO","mensaje":"petición atendida","etapa":"http","relleno":"` + strings.Repeat("x", 300) + `","n":`
	v.write("stranger.yaml", fmt.Sprintf(`services:
  ccm-api:
    image: golang:1.26
    user: "0:0"
    depends_on: !reset null
    restart: !override "no"
    healthcheck: {disable: true}
    entrypoint: ["bash", "-c", 'yes "$$0$$RANDOM}" | head -c 1000000000', %q]
`, line))
	v.env = append(v.env, "COMPOSE_FILE=compose.yaml:stranger.yaml")
	v.compose("up", "--detach", "--no-build", "ccm-api")
	eventually(t, "1 GB is written", func() bool { return v.state("ccm-api", "{{.State.Status}}") == "exited" })
	is.Equal(v.state("ccm-api", "{{.State.ExitCode}}"), "0")
	dir := path.Dir(v.state("ccm-api", "{{.LogPath}}"))
	size := func() int {
		out := docker(t, "run", "--rm", "--volume", dir+":/log:ro", "golang:1.26", "bash", "-c", "cat /log/*-json.log* | wc -c")
		n, err := strconv.Atoi(strings.TrimSpace(out))
		is.NoErr(err)
		return n
	}
	t.Logf("Docker kept %.1f MB of 1 GB of log lines", float64(size())/1e6)
	is.True(size() > 1e6)
	is.True(size() < 11e6) // with the 24 MB at most that the volume keeps: 35
}
