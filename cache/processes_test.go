package cache_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/cache"
	"github.com/ccmwf/ccm/docker/testenv"
)

// The variables that make this binary one of the processes of a test.
const (
	childRedis  = "CCM_TEST_CACHE_REDIS"
	childSource = "CCM_TEST_CACHE_SOURCE"
)

// TestAThousandColdRequestsOverFourProcessesAreOneLoad counts at the source.
func TestAThousandColdRequestsOverFourProcessesAreOneLoad(t *testing.T) {
	if os.Getenv(childRedis) != "" {
		beReplica(t)
		return
	}
	is := is.New(t)
	var asked atomic.Int64
	source := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, asked.Add(1))
		<-time.After(100 * time.Millisecond) // as a database takes
	}))
	defer source.Close()
	replicas := testenv.Fork(t, 4, childRedis+"="+testenv.Redis(t), childSource+"="+source.URL)
	replicas.Await("ready")
	replicas.Tell()
	replicas.Await("all 1") // each request got the first answer
	is.Equal(asked.Load(), int64(1))
}

// beReplica asks 250 times at once, when it is told to.
func beReplica(t *testing.T) {
	numbers := cache.New[string](open(t, cache.Config{URL: os.Getenv(childRedis)}), "numbers", policy)
	load := func(ctx context.Context) (string, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, os.Getenv(childSource), nil)
		if err != nil {
			return "", err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		raw, err := io.ReadAll(resp.Body)
		return string(raw), err
	}
	fmt.Println("ready")
	if !bufio.NewScanner(os.Stdin).Scan() {
		t.Fatal("nobody says when")
	}
	var wait sync.WaitGroup
	got := make([]string, 250)
	for i := range got {
		wait.Go(func() {
			e, err := numbers.Get(t.Context(), "k", load)
			got[i] = e.Value
			if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	for _, g := range got {
		if g != got[0] {
			t.Fatal(got)
		}
	}
	fmt.Println("all", got[0])
}
