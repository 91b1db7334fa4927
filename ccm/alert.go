package ccm

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ccmwf/ccm/ccm/report"
	"github.com/ccmwf/ccm/telegram"
)

// Level says how grave an alert is.
type Level string

// The levels.
const (
	Info    Level = "info"
	Warning Level = "warning"
	Failure Level = "error"
	Success Level = "success"
)

// The longest alert, in characters. A title is one line of a heading that every
// part repeats; a body of the longest fits half a dozen messages.
const (
	MaxTitle = 200
	MaxBody  = 20_000
)

// Alert is an operational message.
type Alert struct {
	Title string `json:"title"` // one line, required, at most MaxTitle
	Body  string `json:"body"`  // its lines are kept; required, at most MaxBody
	Level Level  `json:"level"` // "": Info
	// Branch is only shown, and need not be one of Config.Branches; 0: none.
	Branch int `json:"branch_id,omitempty"`
}

// SendAlert sends an alert. It needs neither the database nor the cache, and
// where the journal fails it still goes out, with a warning in the log: then
// Receipt.Unrecorded is set, and its key protects from no repetition.
//
// Errors: CodeInvalidRequest, and those that [Client.SendArrivals] has for
// sending.
func (c *Client) SendAlert(ctx context.Context, a Alert, o SendOptions) (Receipt, error) {
	return c.sendAlert(ensureMessageID(ctx), a, o, false)
}

// sendAlert sends an alert; a doubt about a quiet one is told nobody.
func (c *Client) sendAlert(ctx context.Context, a Alert, o SendOptions, quiet bool) (Receipt, error) {
	if a.Level == "" {
		a.Level = Info
	}
	meta := Meta{Dataset: AlertID, GeneratedAt: c.cfg.Now().UTC(), MessageID: MessageID(ctx)}
	if a.Branch != 0 {
		meta.Branch = &a.Branch
	}
	if err := a.check(); err != nil {
		return Receipt{Meta: meta}, err
	}
	return c.send(ctx, shipment{
		meta:    meta,
		request: a,
		urgent:  true,
		quiet:   quiet,
		compose: func(context.Context) ([]telegram.Part, Meta, error) {
			at := c.cfg.Now().In(c.cfg.Location)
			return renderSpared(report.Alert(a.Title, a.Body, string(a.Level), a.Branch, at)), meta, nil
		},
	}, o)
}

// check names everything that is wrong with an alert.
func (a Alert) check() error {
	var faults []string
	faults = append(faults, checkText("el título", a.Title, MaxTitle)...)
	faults = append(faults, checkText("el texto", a.Body, MaxBody)...)
	if !slices.Contains([]Level{Info, Warning, Failure, Success}, a.Level) {
		faults = append(faults, "el nivel debe ser info, warning, error o success")
	}
	if a.Branch < 0 {
		faults = append(faults, "la rama debe ser 0 (ninguna) o mayor")
	}
	if len(faults) == 0 {
		return nil
	}
	return fail(CodeInvalidRequest, "Hay que corregir la alerta: %s.", strings.Join(faults, "; "))
}

func checkText(what, text string, most int) []string {
	switch {
	case len(telegram.Render(telegram.Message{Footer: []telegram.Span{{Text: text}}})) == 0: // nothing that a reader would see
		return []string{"falta " + what}
	case utf8.RuneCountInString(text) > most:
		return []string{fmt.Sprintf("%s pasa de %d caracteres", what, most)}
	}
	return nil
}
