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
	check(t, "the bot", all, rates.Bot)
	check(t, "the chat", ofPerson, rates.Chat)
}

// check holds times to a limit: no more than its burst and what comes back, in
// any stretch of time. What a busy machine told late makes others look early.
func check(t *testing.T, who string, at []time.Time, limit rates.Limit) {
	t.Helper()
	const late = time.Second
	slices.SortFunc(at, time.Time.Compare)
	for i := range at {
		for j := i + limit.Burst; j < len(at); j++ {
			least := time.Duration(j-i+1-limit.Burst) * limit.Every
			if took := at[j].Sub(at[i]); took < least-late {
				t.Fatalf("%s: %d messages in %v, which should take %v", who, j-i+1, took, least)
			}
		}
	}
	took := at[len(at)-1].Sub(at[0])
	least := time.Duration(len(at)-limit.Burst) * limit.Every
	t.Logf("%s: %d messages of two processes in %v; the rates allow %v", who, len(at), took.Round(time.Millisecond), least)
}
