package stack_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/matryer/is"
)

// inspection is what Docker shows of a container and its image, as far as the
// benchmark asks.
type inspection struct {
	Ours      bool // we make the image; of others' only the container is ours to judge
	Container container
	Image     struct {
		ID     string
		Config struct {
			Env         []string
			Healthcheck *probeOf
		}
	}
	Files        []imageFile // of the image
	Instructions []string    // of its Dockerfile, and of its history
}

type container struct {
	Image string
	State struct {
		Health *struct{ Status string }
	}
	Config struct {
		User        string
		Healthcheck *probeOf
	}
	HostConfig struct {
		Privileged, ReadonlyRootfs                         bool
		CapAdd, CapDrop, SecurityOpt                       []string
		NetworkMode, PidMode, IpcMode, UTSMode, UsernsMode string
		Memory, NanoCPUs, CPUShares                        int64
		PidsLimit                                          *int64
		RestartPolicy                                      struct{ Name string }
		PortBindings                                       map[string][]binding
	}
	Mounts          []mounted
	NetworkSettings struct{ Networks map[string]struct{} }
}

type (
	probeOf   struct{ Test []string }
	binding   struct{ HostIP, HostPort string }
	mounted   struct{ Type, Source, Destination, Propagation string }
	imageFile struct {
		Name string
		Mode uint32
	}
)

// copy shares nothing with what it is a copy of.
func (i inspection) copy(tb testing.TB) (c inspection) {
	tb.Helper()
	decode(tb, encode(tb, i), &c)
	return c
}

func encode(tb testing.TB, v any) []byte {
	tb.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func decode(tb testing.TB, data []byte, v any) {
	tb.Helper()
	if err := json.Unmarshal(data, v); err != nil {
		tb.Fatalf("%v in %s", err, data)
	}
}

// inspect looks at a service that runs.
func (s *stack) inspect(service, image string, ours bool) inspection {
	s.tb.Helper()
	i := inspection{Ours: ours}
	decode(s.tb, []byte(docker(s.tb, "inspect", "--format", "{{json .}}", s.container(service))), &i.Container)
	decode(s.tb, []byte(docker(s.tb, "image", "inspect", "--format", "{{json .}}", image)), &i.Image)
	if !ours {
		return i
	}
	for _, f := range save(s.tb, image).files {
		i.Files = append(i.Files, imageFile{f.name, uint32(f.mode)})
	}
	dockerfile, err := os.ReadFile(filepath.Join(s.dir, "docker/Dockerfile"))
	if err != nil {
		s.tb.Fatal(err)
	}
	history := docker(s.tb, "history", "--no-trunc", "--format", "{{.CreatedBy}}", image)
	i.Instructions = strings.Split(string(dockerfile)+history, "\n")
	return i
}

// violations names the items of the benchmark that an inspection breaks.
func violations(i inspection) (broken []string) {
	for _, item := range benchmark {
		if item.concerns(i) && !item.holds(i) {
			broken = append(broken, item.String())
		}
	}
	return broken
}

func TestProductionKeepsToTheCISDockerBenchmark(t *testing.T) {
	s := newProduction(t)
	s.up()
	for _, service := range []struct {
		name, image string
		ours        bool
	}{{"ccm-api", "ccm-api:" + tag, true}, {"redis", "redis:8", false}} {
		t.Run(service.name, func(t *testing.T) {
			is := is.New(t)
			found := s.inspect(service.name, service.image, service.ours)
			is.Equal(violations(found), nil)
			for _, item := range benchmark {
				if !item.concerns(found) {
					continue
				}
				t.Run("without "+item.id, func(t *testing.T) {
					is := is.New(t)
					is.True(item.breaks != nil) // an item that nothing breaks checks nothing
					worse := found.copy(t)
					item.breaks(&worse)
					is.Equal(violations(worse), []string{item.String()})
				})
			}
		})
	}
}
