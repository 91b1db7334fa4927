package telegram_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/telegram"
)

func TestATokenInPlaceOfItsFileIsNotShown(t *testing.T) {
	for name, path := range map[string]string{
		"alone":           token,
		"with a newline":  token + "\n",
		"with one within": botID + ":\n" + secret,
		"that was cut":    token[:20],
		"with its URL":    "https://api.telegram.org/bot" + token,
		"as a setting":    "TOKEN=" + token,
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			cfg := telegram.Config{TokenFile: path}
			_, err := telegram.New(cfg)
			is.True(errors.Is(err, telegram.ErrInvalid))
			is.True(strings.Contains(err.Error(), "Config.TokenFile: it holds a token, not the path of a file; give that as Config.Token"))
			for _, v := range []any{err, cfg, &cfg, struct{ Telegram telegram.Config }{cfg}} {
				checkNoSecret(t, v)
				is.True(!strings.Contains(prints(v), path))
				is.True(!strings.Contains(prints(v), token[:20]))
			}
		})
	}
}

func TestAPathThatOnlyResemblesAToken(t *testing.T) {
	is := is.New(t)
	t.Chdir(t.TempDir())
	for _, path := range []string{"2026-11-24T00:31:48", "bot12:token", "token:" + strings.Repeat("a", 40)} {
		is.NoErr(os.WriteFile(path, []byte(token), 0o600))
		_, err := telegram.New(telegram.Config{TokenFile: path})
		is.NoErr(err)
		is.True(strings.Contains(prints(telegram.Config{TokenFile: path}), path))
	}
}
