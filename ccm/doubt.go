package ccm

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/ccmwf/ccm/telegram"
)

// doubtTimeout bounds the alert about a delivery in doubt, and so how long Close
// waits for it.
const doubtTimeout = 15 * time.Second

// doubtKey begins the keys of such alerts: one that is in doubt itself is known
// by it, and raises none.
const doubtKey = "ccm incierta "

func isOfDoubt(key string) bool { return strings.HasPrefix(key, doubtKey) }

// tellers are the alerts about doubts that are on their way.
type tellers struct {
	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

// start runs do beside the caller, unless the Client is being closed.
func (t *tellers) start(do func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.running.Go(do)
	}
}

// close waits for what is running.
func (t *tellers) close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.running.Wait()
}

// doubt counts parts that are in doubt, and tells the chat of alerts that a person
// must look at their delivery: which, and what to do; never what is in it.
func (c *Client) doubt(ctx context.Context, l *ledger, r Receipt, parts int) {
	c.counts.doubts(parts)
	if c.cfg.AlertChat == (telegram.Target{}) || c.bot == nil || l.quiet {
		return
	}
	a := doubtAlert(r)
	key := ""
	if r.ID != "" {
		key = fmt.Sprintf("%s%s %d", doubtKey, r.ID, r.uncertain())
	}
	ctx = context.WithoutCancel(ctx)
	c.tellers.start(func() {
		ctx, cancel := context.WithTimeout(ctx, doubtTimeout)
		defer cancel()
		if _, err := c.sendAlert(ctx, a, SendOptions{Key: key, To: c.cfg.AlertChat}, true); err != nil {
			c.log(ctx, slog.LevelError, stageTelegram, "no se pudo avisar de un envío sin confirmar en el chat de avisos (CCM_ALERT_CHAT_ID)",
				slog.String("delivery_id", r.ID), codeAttr(err), reasonAttr(err))
		}
	})
}

// reportNames are the reports as a person calls them.
var reportNames = map[string]string{UpcomingArrivals: "próximos ingresos", UpcomingBirthdays: "próximos cumpleaños", AlertID: "una alerta"}

func doubtAlert(r Receipt) Alert {
	lines := []string{"Reporte: " + reportNames[r.Meta.Dataset], fmt.Sprintf("Partes sin confirmar: %d de %d", r.uncertain(), len(r.Parts))}
	if r.ID == "" {
		lines = append(lines, "", "El diario no respondía y no lo tiene. Mire el chat: si no llegó, envíelo otra vez.")
	} else {
		lines = append(lines, "Envío: "+r.ID, "",
			"Mire el chat y decida.",
			"Si no llegó: ccm-api entregas reenviar "+r.ID,
			"Si llegó: ccm-api entregas descartar "+r.ID,
			"Por HTTP: POST /deliveries/"+r.ID+"/resend o /discard")
	}
	a := Alert{Title: "Un envío quedó sin confirmar", Body: strings.Join(lines, "\n"), Level: Warning}
	if r.Meta.Branch != nil {
		a.Branch = *r.Meta.Branch
	}
	return a
}
