package telegram_test

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/telegram"
)

func TestATokenFileThatIsBeingWritten(t *testing.T) {
	is := is.New(t)
	var asked []string
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, strings.Split(strings.TrimPrefix(r.URL.Path, "/bot"), "/")[0])
		_, _ = io.WriteString(w, `{"ok":true,"result":{"message_id":1}}`)
	})
	file := writeToken(t, token)
	b := mustBot(t, telegram.Config{TokenFile: file, BaseURL: base})
	send := func(content string) error {
		is.NoErr(os.WriteFile(file, []byte(content), 0o600))
		_, err := b.Send(t.Context(), target, part("x"))
		return err
	}
	second := "987654321:" + strings.Repeat("Z", 35)
	is.NoErr(send("")) // before any request: New has read it
	is.NoErr(send(second + "\n"))
	is.NoErr(send(" \n"))
	is.Equal(asked, []string{token, second, second}) // never again with one that was replaced
	err := send(second[:20])                         // what is no token sends nothing
	is.True(errors.Is(err, telegram.ErrInvalid))
	checkNoSecret(t, b)
	is.True(!strings.Contains(prints(b), second))
	is.NoErr(os.Remove(file)) // nor does a file that was taken away
	_, err = b.Send(t.Context(), target, part("x"))
	is.Equal(asError(t, err).Outcome, telegram.NotSent)
	is.Equal(len(asked), 3)
}

// The requests of a bot read one file.
func TestATokenFileIsReadByManyAtOnce(t *testing.T) {
	fake, _ := newFake(t)
	file := writeToken(t, fake.Token)
	b := mustBot(t, telegram.Config{TokenFile: file, BaseURL: fake.URL})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 100 {
			if err := os.WriteFile(file, []byte(fake.Token), 0o600); err != nil {
				t.Error(err)
			}
		}
	}()
	for range 100 {
		if err := b.Call(t.Context(), "getMe", nil, nil); err != nil {
			t.Error(err)
		}
	}
	<-done
}
