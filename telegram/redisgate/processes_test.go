package redisgate_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/docker/testenv"
	"github.com/ccmwf/ccm/telegram/internal/rates"
)

// replicaURL makes the test binary a replica that writes through that Redis.
const replicaURL = "CCM_TEST_REPLICA_URL"

func TestMain(m *testing.M) { testenv.Main(m) }

// mine is how many messages each replica has for one chat, and others how many
// for chats of their own.
const mine, others = 4, 50

// TestReplica is what a replica does: it says that it is ready, waits for the
// word to begin, and tells when each message could go out.
func TestReplica(t *testing.T) {
	url := os.Getenv(replicaURL)
	if url == "" {
		t.Skip("it is run by TestTwoProcessesKeepToTheRatesTogether")
	}
	is, g := is.New(t), newGate(t, url)
	lines := make(chan string)
	write := func(chat string) {
		if err := g.Wait(context.Background(), chat); err != nil {
			lines <- err.Error()
			return
		}
		lines <- fmt.Sprint("sent ", chat, " ", time.Now().UnixNano())
	}
	fmt.Println("ready")
	_, err := bufio.NewReader(os.Stdin).ReadString('\n')
	is.NoErr(err)
	for range mine {
		go write(person)
	}
	for i := range others {
		go write(fmt.Sprintf("%d%02d", os.Getpid(), i))
	}
	for range mine + others {
		fmt.Println(<-lines)
	}
}

func TestTwoProcessesKeepToTheRatesTogether(t *testing.T) {
	is, url := is.New(t), testenv.Redis(t)
	var begin []io.WriteCloser
	var out []*bufio.Scanner
	for range 2 {
		replica := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestReplica$")
		replica.Env = append(os.Environ(), replicaURL+"="+url)
		replica.Stderr = os.Stderr
		stdin, err := replica.StdinPipe()
		is.NoErr(err)
		stdout, err := replica.StdoutPipe()
		is.NoErr(err)
		is.NoErr(replica.Start())
		defer func() { is.NoErr(replica.Wait()) }()
		lines := bufio.NewScanner(stdout)
		is.True(lines.Scan() && lines.Text() == "ready")
		begin, out = append(begin, stdin), append(out, lines)
	}
	start := time.Now()
	for _, stdin := range begin {
		_, err := io.WriteString(stdin, "go\n")
		is.NoErr(err)
	}
	var all, ofPerson []time.Time
	for _, lines := range out {
		for lines.Scan() {
			fields := strings.Fields(lines.Text())
			if len(fields) != 3 || fields[0] != "sent" {
				continue // go test's own words
			}
			var at int64
			_, err := fmt.Sscan(fields[2], &at)
			is.NoErr(err)
			all = append(all, time.Unix(0, at))
			if fields[1] == person {
				ofPerson = append(ofPerson, time.Unix(0, at))
			}
		}
	}
	is.Equal(len(all), 2*(mine+others))
	is.Equal(len(ofPerson), 2*mine)
	check(t, "the bot", start, all, rates.Bot)
	check(t, "the chat", start, ofPerson, rates.Chat)
}

// check holds times to a limit, whichever process they are of: beyond its burst
// each takes as long as one place. A busy machine is late, which is no fault; how
// many fit into any stretch of time is for gatetest.
func check(t *testing.T, who string, start time.Time, at []time.Time, limit rates.Limit) {
	t.Helper()
	const clocks = 20 * time.Millisecond // those of the processes and of Redis may be set a little apart
	slices.SortFunc(at, time.Time.Compare)
	for i := range at {
		least := time.Duration(i+1-limit.Burst) * limit.Every
		if took := at[i].Sub(start.Round(0)); took < least-clocks {
			t.Fatalf("%s: %d messages in %v, which should take %v", who, i+1, took, least)
		}
	}
	t.Logf("%s: %d messages of two processes in %v; the rates ask for %v", who, len(at),
		at[len(at)-1].Sub(start.Round(0)).Round(time.Millisecond), time.Duration(len(at)-limit.Burst)*limit.Every)
}
