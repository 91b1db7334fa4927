package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ccmwf/ccm/telegram/telegramtest"
)

// scriptChat is the group that the scripts' fake Telegram knows.
const scriptChat = -1001234567890

// patience is how long a script waits for anything; it asserts no speed.
const patience = 20 * time.Second

type fakeKey struct{}

// setupScript gives a script the settings of a fake Telegram and of a fake
// Google, and two ports: $PORT, which is free, and $BUSY, where somebody listens.
func setupScript(env *testscript.Env) error {
	fake := telegramtest.New()
	fake.AddChat(telegramtest.Chat{ID: scriptChat, Type: "supergroup", Title: "Rama 14"})
	server := httptest.NewServer(fake)
	env.Defer(server.Close)
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	env.Defer(func() { busy.Close() })
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer free.Close()
	env.Values[fakeKey{}] = fake
	setupGoogle(env)
	env.Setenv("PORT", portOf(free))
	env.Setenv("BUSY", portOf(busy))
	env.Setenv("TOKEN", fake.Token)
	env.Setenv("TELEGRAM_API_URL", server.URL)
	env.Setenv("TELEGRAM_BOT_TOKEN", fake.Token)
	env.Setenv("TELEGRAM_CHAT_ID", fmt.Sprint(scriptChat))
	return nil
}

func portOf(l net.Listener) string { return strconv.Itoa(l.Addr().(*net.TCPAddr).Port) }

// scriptCommands are what scripts have beside testscript's own.
var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	// exit CODE COMMAND… runs a command and wants that exit code.
	"exit": func(ts *testscript.TestScript, _ bool, args []string) {
		err := ts.Exec(args[1], args[2:]...)
		code := 0
		if failure, ok := errors.AsType[*exec.ExitError](err); ok {
			code = failure.ExitCode()
		} else {
			ts.Check(err)
		}
		if fmt.Sprint(code) != args[0] {
			ts.Fatalf("exit code %d, want %s", code, args[0])
		}
	},
	// fault STATUS makes the next sendMessage answer so; fault cut breaks its
	// connection after the message was accepted.
	"fault": func(ts *testscript.TestScript, _ bool, args []string) {
		fault := telegramtest.Fault{Method: "sendMessage"}
		if args[0] == "cut" {
			fault.Cut, fault.Accept = true, true
		} else {
			fault.Status, _ = strconv.Atoi(args[0])
		}
		fakeOf(ts).Script(fault)
	},
	// credentials KIND FILE writes credentials for the fake Google.
	"credentials": writeCredentials,
	// google revoked|busy|testing makes Google answer so.
	"google": scriptGoogle,
	// drive STATUS REASON makes the next call to Drive answer so.
	"drive": scriptDrive,
	// browse FILE opens the address of Google's that the file comes to show, where
	// a person says yes, and prints where that ends.
	"browse": browse,
	// chat N prints the chat's messages, and wants N of them.
	"chat": func(ts *testscript.TestScript, _ bool, args []string) {
		messages := fakeOf(ts).Messages(scriptChat)
		for _, m := range messages {
			fmt.Fprintln(ts.Stdout(), m.Text)
		}
		if fmt.Sprint(len(messages)) != args[0] {
			ts.Fatalf("%d messages in the chat, want %s", len(messages), args[0])
		}
	},
	// calls prints every request that reached Telegram, a line each.
	"calls": func(ts *testscript.TestScript, _ bool, _ []string) {
		for _, c := range fakeOf(ts).Calls() {
			fmt.Fprintln(ts.Stdout(), c.Method)
		}
	},
	// logged FILE REGEXP waits until a line of the file matches.
	"logged": func(ts *testscript.TestScript, _ bool, args []string) {
		wanted := regexp.MustCompile(args[1])
		eventually(ts, "the log says "+args[1], func() bool {
			log, _ := os.ReadFile(ts.MkAbs(args[0])) // not there yet: not yet
			return wanted.Match(log)
		})
	},
	// sigterm asks the processes in the background to end, as Docker does.
	"sigterm": func(ts *testscript.TestScript, _ bool, _ []string) {
		for _, cmd := range ts.BackgroundCmds() {
			ts.Check(cmd.Process.Signal(syscall.SIGTERM))
		}
	},
	// http METHOD PATH STATUS [BODY [HEADER]] asks the service on $PORT, prints
	// the answer, and wants that status. It waits for a service that starts.
	"http": func(ts *testscript.TestScript, _ bool, args []string) {
		args = append(args, "", "")
		status, body := ask(ts, args[0], args[1], args[3], args[4])
		fmt.Fprintln(ts.Stdout(), body)
		if fmt.Sprint(status) != args[2] {
			ts.Fatalf("%s %s: status %d, want %s", args[0], args[1], status, args[2])
		}
	},
}

func fakeOf(ts *testscript.TestScript) *telegramtest.Server {
	return ts.Value(fakeKey{}).(*telegramtest.Server)
}

// eventually polls until done.
func eventually(ts *testscript.TestScript, what string, done func() bool) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !done() {
		select {
		case <-tick.C:
		case <-late:
			ts.Fatalf("not in %v: %s", patience, what)
		}
	}
}

func ask(ts *testscript.TestScript, method, path, body, header string) (status int, answer string) {
	client := &http.Client{Timeout: patience}
	eventually(ts, method+" "+path, func() bool {
		req, err := http.NewRequest(method, "http://127.0.0.1:"+ts.Getenv("PORT")+path, strings.NewReader(body))
		ts.Check(err)
		req.Header.Set("Content-Type", "application/json")
		if name, value, found := strings.Cut(header, ": "); found {
			req.Header.Set(name, value)
		}
		resp, err := client.Do(req)
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		ts.Check(err)
		status, answer = resp.StatusCode, string(text)
		return true
	})
	return status, answer
}
