package ccm

import (
	"context"
	"encoding/json"
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
	Discarded State = "discarded" // a person decided that it shall not be sent
)

// PartResult is one message of a delivery.
type PartResult struct {
	Part  telegram.Part // its text, frozen when the delivery began
	State State
	Sent  telegram.Sent // ID is 0 unless State is Delivered; Chat and Attempts tell of the last write
	Err   error         // why it is not sent, an *Error; nil otherwise
	// Doubtful: a person had it sent again although it may have arrived before,
	// and the message says so.
	Doubtful bool
}

// Receipt tells what became of a delivery. It is meaningful beside an error too.
type Receipt struct {
	ID       string // the journal's; "" for a dry run, or where there was no journal
	Parts    []PartResult
	Meta     Meta
	Replayed bool // the first answer of this key, given again; nothing was sent
	// Unrecorded: the journal was away, and an alert went out without it (a
	// report would not have). Its key protects from no repetition.
	Unrecorded bool
}

// Delivery is what a journal is told before the first part goes out.
type Delivery struct {
	// ID is of a delivery claimed already, of which nothing went out: its parts
	// and Meta are replaced. "": a new one.
	ID          string
	Key         string // "": no key, never replayed
	Fingerprint string // of the request; the same key with another one is CodeKeyReused
	Report      string // dataset id, or "alert"
	// Request is what was asked for, as JSON: what it takes to render the message again.
	Request json.RawMessage
	To      telegram.Target
	Meta    Meta
	Parts   []telegram.Part
	At      time.Time // of the first rendering
}

// Record is a delivery as a journal keeps it.
type Record struct {
	Receipt
	Key       string
	Report    string
	Request   json.RawMessage
	To        telegram.Target
	State     State // of the whole: see [Receipt.Outcome]; Sending while somebody holds it
	BeganAt   time.Time
	EndedAt   time.Time // zero while it is under way, or its holder is gone
	Purged    bool      // the texts of its parts, and what was asked for, are deleted
	Decisions []Decision
}

// Decision is what a person made of a delivery that did not arrive as a whole.
type Decision struct {
	Action Action
	Who    string // the name of an API key, or of who ran a command
	At     time.Time
}

// Action is what a person can decide.
type Action string

// The actions.
const (
	Resend  Action = "resend"
	Discard Action = "discard"
)

// Filter says which deliveries are listed. The zero Filter lists all.
type Filter struct {
	State  State     // of the whole; "": any
	Report string    // "": any
	Chat   string    // "": any
	From   time.Time // began at or after; zero: any
	To     time.Time // began before; zero: any
	Limit  int       // 1..MaxPage; zero: DefaultPage
	Cursor string    // Page.Next of the page before; "": the first page
}

// The sizes of a page.
const (
	DefaultPage = 50
	MaxPage     = 200
)

// Page is a piece of a list, the newest first. Its records have no texts.
type Page struct {
	Records []Record // never nil
	Next    string   // the Cursor of the next page; "": this is the last
}

// Journal keeps what was sent, by key, so that each part is sent at most once by
// itself. It is safe for concurrent use. An error other than the *Error values
// named here means that the journal is away: a report is then not sent.
//
// A claim is held from Resume, Begin, Recover or Reopen until End. One whose
// holder is gone (its lease ran out) is anybody's to take: its part in Sending
// has become Uncertain, never Pending.
//
// Package delivery keeps deliveries in MySQL; deliverytest there holds any
// Journal to this contract.
type Journal interface {
	// Resume looks a key up before anything is loaded. A key that is new or free
	// answers the zero Record; a finished one its Record with Replayed set; a
	// partial or abandoned one is claimed, with the parts as frozen, to go on: End
	// releases it. One with a part that is uncertain counts as finished.
	// Errors: an *Error with CodeKeyReused or CodeKeyBusy.
	Resume(ctx context.Context, key, fingerprint string) (Record, error)
	// Begin claims the key and freezes the parts, all Pending. It answers as
	// Resume does when another was faster. With Delivery.ID it replaces the parts
	// of one that is claimed and untouched; ErrClaimLost where it is not.
	// A Begin or Resume that failed in between may have left a claim behind. Its
	// caller may go on without the journal, so nobody ever sends that by itself.
	Begin(ctx context.Context, d Delivery) (Record, error)
	// Mark records a part before (Sending) and after each write. Before a write
	// any error means that there must be none, urgent or not: the delivery is in
	// the journal, and may go on by itself. A claim that was lost, or a part that
	// is neither Pending nor Refused, is an *Error with CodeDeliveryBusy. After a
	// write, that it arrived counts even if the claim was lost: an Uncertain part
	// becomes Delivered. What is Delivered stays so. The part's text is not
	// recorded again.
	Mark(ctx context.Context, id string, part int, r PartResult) error
	// End releases the claim; a part in Sending is Uncertain then. A delivery of
	// which nothing was sent and nothing is uncertain frees its key; another
	// keeps it for KeyLifetime. To End one that is not claimed does nothing.
	End(ctx context.Context, id string) error

	// Recover claims a delivery whose holder is gone, and that is not older than
	// RecoverWindow; the zero Record if there is none. Parts that are Pending are
	// still to be sent; there may be none.
	Recover(ctx context.Context) (Record, error)

	// List answers a page of deliveries. A Cursor that is not one of its own is
	// an *Error with CodeInvalidRequest.
	List(ctx context.Context, f Filter) (Page, error)
	// Find answers one delivery, texts included. One that is unknown is an *Error
	// with CodeUnknownDelivery.
	Find(ctx context.Context, id string) (Record, error)
	// Reopen claims a delivery for a person who wants what did not arrive to be
	// sent (again), and notes who that was: every part that is not Delivered
	// becomes Pending, with PartResult.Doubtful set where one was Uncertain. Errors: an *Error with CodeUnknownDelivery; CodeDeliverySent
	// where every part arrived; CodeDeliveryBusy while it is claimed;
	// CodeDeliveryPurged where the texts are gone.
	Reopen(ctx context.Context, id, who string) (Record, error)
	// Discard closes a delivery for a person: what did not arrive becomes
	// Discarded. Who holds one that only waits has lost it with that. To Discard it
	// again answers the same. Errors: as of Reopen, but for CodeDeliveryPurged, and
	// CodeDeliveryBusy only while a part is being written.
	Discard(ctx context.Context, id, who string) (Record, error)
}

// RecoverWindow is how old a delivery may be that is still sent by itself after
// its holder died. What is older stays Pending, for a person to decide.
const RecoverWindow = 24 * time.Hour
