package stack_test

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ccmwf/ccm/telegram/telegramtest"
)

// The guides whose ```sh blocks are run, in the order of a reader; of README
// only the section about containers.
var guides = []string{"README.md", "docs/container_setup.md", "docs/google.md", "docs/workflow.md"}

const readmeSection = "## As a container"

// mark is the comment above a block: it names the session that runs it, or says
// why it is not run.
//
//	<!-- prueba: dev -->          in the session dev
//	<!-- prueba: no: la razón --> not at all; its syntax is checked
//
// A session is one fresh checkout and one Compose project. Its blocks run in the
// order of the guides, in one Bash that stops at the first error. A session whose
// name begins with "prod" finds a MySQL and a Telegram outside of its project.
var mark = regexp.MustCompile(`^<!-- prueba: (?:no: (.+)|([a-z-]+)) -->$`)

type block struct {
	at      string // file:line
	session string // "": not run
	text    string
}

// guideTimeout is for one session; each of its commands has time-outs of its own.
const guideTimeout = 8 * time.Minute

func TestTheCommandsOfTheGuidesWork(t *testing.T) {
	var names []string
	sessions := map[string][]block{}
	for _, b := range guideBlocks(t) {
		if b.session == "" {
			checkSyntax(t, b)
			continue
		}
		if sessions[b.session] == nil {
			names = append(names, b.session)
		}
		sessions[b.session] = append(sessions[b.session], b)
	}
	needCompose(t)
	outside := sync.OnceValue(func() *stack {
		s := newStack(t, "--profile", "dev")
		s.up("telegram")
		return s
	})
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			s := newStack(t, "--profile", "dev", "--profile", "tests")
			first := portPair(t)
			s.url = "http://127.0.0.1:" + first[0]
			s.env = append(s.env, "COMPOSE_PROJECT_NAME="+s.project, "CCM_PORT="+first[0])
			if strings.HasPrefix(name, "prod") {
				s.production(outside(), name == "prod-readme")
			}
			s.follow(sessions[name], placeholders(s, first))
		})
	}
}

// guideBlocks finds all blocks. One without a mark fails the test, so that
// nobody forgets it.
func guideBlocks(t *testing.T) (all []block) {
	t.Helper()
	for _, name := range guides {
		data, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		section, before := "", "" // the heading that we are under; the last line that is not blank
		var inside *block
		for i, line := range strings.Split(string(data), "\n") {
			switch {
			case inside != nil && line == "```":
				all, inside = append(all, *inside), nil
			case inside != nil:
				inside.text += line + "\n"
			case strings.HasPrefix(line, "## "):
				section = line
			case line == "```sh" && (name != "README.md" || section == readmeSection):
				found := mark.FindStringSubmatch(before)
				inside = &block{at: fmt.Sprintf("%s:%d", name, i+1)}
				if found == nil {
					t.Errorf("%s: the block has no mark: <!-- prueba: dev -->, prod, or <!-- prueba: no: why -->", inside.at)
				} else {
					inside.session = found[2]
				}
			}
			if line != "" {
				before = line
			}
		}
	}
	return all
}

// checkSyntax is what can be said of a block that is not run.
func checkSyntax(t *testing.T, b block) {
	t.Helper()
	bash := exec.Command("bash", "-n")
	bash.Stdin = strings.NewReader(b.text)
	if out, err := bash.CombinedOutput(); err != nil {
		t.Errorf("%s: %v: %s", b.at, err, out)
	}
}

// placeholders puts what this machine has into the place of what the guides show:
// free ports, an image that is built already, and the outside of production.
func placeholders(s *stack, api [2]string) *strings.Replacer {
	return strings.NewReplacer(
		"CCM_PORT=8000-8001", "CCM_PORT="+api[0]+"-"+api[1],
		"127.0.0.1:8000", "127.0.0.1:"+api[0],
		"127.0.0.1:8001", "127.0.0.1:"+api[1],
		"127.0.0.1:8081", strings.TrimPrefix(s.sandbox, "http://"),
		"0.1.0", tag,
		"0.2.0", tag+"-next",
		"lector:CLAVE@db.ejemplo.org", outsideUser,
		"123456789:TOKEN-DE-BOTFATHER", telegramtest.New().Token,
		"123456789:OTRO-TOKEN-DE-BOTFATHER", telegramtest.New().Token,
	)
}

// The MySQL and the Telegram that production finds are those of the profile dev
// in another project.
const (
	outsideUser = "ccm:solo-para-desarrollo@mysql-del-perfil-dev"
	outsideFile = "docker/outside.yaml"
)

// production prepares a checkout for a session that follows the guide to a real
// start: the operator's own Compose file, which ejemplo.env names, joins the
// network that the outside is in. The image's tag comes from .env, as in the guide.
// Filled in: the guide's first steps are done.
func (s *stack) production(outside *stack, filledIn bool) {
	s.tb.Helper()
	s.env = slices.DeleteFunc(s.env, func(v string) bool { return strings.HasPrefix(v, "CCM_TAG=") })
	s.write(outsideFile, fmt.Sprintf("services: {ccm-api: {environment: {TELEGRAM_API_URL: 'http://telegram-del-perfil-dev:8081'}}}\n"+
		"networks: {salida: {name: %s_salida, external: true}}\n", outside.project))
	example, err := os.ReadFile(filepath.Join(s.dir, "docker/ejemplo.env"))
	if err != nil {
		s.tb.Fatal(err)
	}
	settings := strings.Replace(string(example), "docker/compose.prod.yaml\n", "docker/compose.prod.yaml:"+outsideFile+"\n", 1) + "CCM_TAG=" + tag + "\n"
	if filledIn {
		settings = strings.Replace(settings, "TELEGRAM_CHAT_ID=\n", "TELEGRAM_CHAT_ID=-1001234567890\n", 1)
		s.write("secretos/database_url", "mysql://"+outsideUser+":3306/ccm")
		s.write("secretos/telegram_bot_token", telegramtest.New().Token)
		s.write("secretos/ccm_api_keys", "presidencia=0123456789abcdef01234567")
		s.write("secretos/redis_password", "0123456789abcdef01234567")
	}
	s.write("docker/ejemplo.env", settings)
	s.tb.Cleanup(func() { _ = exec.Command("docker", "image", "rm", "--force", "ccm-api:"+tag+"-next").Run() }) // README makes none
}

// follow types the blocks. Their home folder is an empty one; who is root needs
// no sudo.
func (s *stack) follow(blocks []block, replace *strings.Replacer) {
	s.tb.Helper()
	script := "set -euo pipefail\n[[ $(id -u) != 0 ]] || sudo() { \"$@\"; }\n"
	for _, b := range blocks {
		script += "echo \"### " + b.at + " at $SECONDS s\"\n" + replace.Replace(b.text)
	}
	home, err := os.UserHomeDir()
	if err != nil {
		s.tb.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), guideTimeout)
	defer cancel()
	bash := exec.CommandContext(ctx, "bash", "-c", script)
	bash.Dir = s.dir
	bash.Env = append(os.Environ(), s.env...)
	bash.Env = append(bash.Env, "HOME="+s.tb.TempDir(), "DOCKER_CONFIG="+cmp.Or(os.Getenv("DOCKER_CONFIG"), filepath.Join(home, ".docker")))
	if out, err := bash.CombinedOutput(); err != nil {
		s.tb.Fatalf("%v; the last block is where it failed:\n%s", err, out)
	} else if testing.Verbose() {
		s.tb.Logf("%s", out)
	}
}

// portPair is two free ports that follow each other, for two replicas.
func portPair(tb testing.TB) [2]string {
	tb.Helper()
	for {
		first := freePort(tb)
		n, err := strconv.Atoi(first)
		if err != nil {
			tb.Fatal(err)
		}
		next := strconv.Itoa(n + 1)
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", next)); err == nil {
			_ = l.Close() // nothing was sent to it
			return [2]string{first, next}
		}
	}
}
