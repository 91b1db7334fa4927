package ccm

import (
	"context"
	"time"

	"github.com/ccmwf/ccm/telegram"
)

// State is how far a part, or a delivery, got.
type State string

// The states.
const (
	Pending   State = "pending"   // not sent, may be sent
	Sending   State = "sending"   // being written now
	Delivered State = "sent"      // Telegram acknowledged it
	Refused   State = "refused"   // Telegram said no
	Uncertain State = "uncertain" // written without an answer: a person decides
)

// PartResult is one message of a delivery.
type PartResult struct {
	Part  telegram.Part // its text, frozen when the delivery began
	State State
	Sent  telegram.Sent // zero unless State is Delivered
	Err   error         // why it is not sent, an *Error; nil otherwise
}

// Receipt tells what became of a delivery. It is meaningful beside an error too.
type Receipt struct {
	ID       string // the journal's; "" for a dry run, or where there was no journal
	Parts    []PartResult
	Meta     Meta
	Replayed bool // the first answer of this key, given again; nothing was sent
}

// Delivery is what a journal is told before the first part goes out.
type Delivery struct {
	Key         string // "": no key, never replayed
	Fingerprint string // of the request; the same key with another one is CodeKeyReused
	Report      string // dataset id, or "alert"
	To          telegram.Target
	Meta        Meta
	Parts       []telegram.Part
	At          time.Time
}

// Journal keeps what was sent, by key, so that each part is sent at most once by
// itself. It is safe for concurrent use. An error other than the *Error values
// named here means that the journal is away: a report is then not sent.
type Journal interface {
	// Resume looks a key up before anything is loaded. A key that is new or free
	// answers the zero Receipt; a finished one its Receipt with Replayed set; a
	// partial one is claimed, with the parts as frozen, to go on: End releases
	// it. A partial one with a part that is uncertain counts as finished.
	// Errors: an *Error with CodeKeyReused or CodeKeyBusy.
	Resume(ctx context.Context, key, fingerprint string) (Receipt, error)
	// Begin claims the key and freezes the parts, all Pending. It answers as
	// Resume does when another was faster.
	Begin(ctx context.Context, d Delivery) (Receipt, error)
	// Mark records a part before (Sending) and after each write.
	Mark(ctx context.Context, id string, part int, r PartResult) error
	// End releases the claim. A delivery of which nothing was sent and nothing is
	// uncertain frees its key; another is kept for 24 h.
	End(ctx context.Context, id string) error
}
