// Package deliverytest is the contract of a [ccm.Journal], as tests: [Run] holds
// any implementation to it.
package deliverytest

import (
	"testing"
	"time"

	"github.com/matryer/is"

	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/telegram"
)

// Place is where deliveries are kept, empty at first.
type Place struct {
	// Open returns a journal of the place, that ends with the test at the latest.
	// Every journal of a place knows the same deliveries.
	Open func() ccm.Journal
	// Pass lets time pass by for the place.
	Pass func(time.Duration)
	// Kill ends what holds a journal's claims, as the death of its process does.
	// Nil: the deliveries end with their process.
	Kill func(ccm.Journal)
	// Serial: what keeps the deliveries does one thing at a time, as an engine
	// without transactions does. Nothing is asked of it at once.
	Serial bool
}

// Run holds the places that open makes, another one at each call, to the contract.
func Run(t *testing.T, open func(testing.TB) Place) {
	for name, test := range map[string]func(*testing.T, Place){
		"a new key is free":                          testNewKey,
		"a key under way is busy":                    testBusyKey,
		"a finished one is given again":              testReplay,
		"it is given again as it was":                testFaithful,
		"a refusal frees the key":                    testRefusal,
		"a partial one goes on":                      testPartial,
		"what nobody confirmed is finished":          testUncertain,
		"a write without an end is uncertain":        testSending,
		"a day later the key is free":                testKeyLifetime,
		"without a key nothing is given again":       testKeyless,
		"keys and texts of any letters":              testUnicode,
		"one of many at once has the key":            testManyAtOnce,
		"a part that is not there":                   testNoPart,
		"a part is written by one":                   testOneWriter,
		"a claim that ended":                         testEnded,
		"parts of an untouched one are replaced":     testReplace,
		"a list is filtered":                         testFilters,
		"a list has pages":                           testPages,
		"a list has no texts":                        testListWithoutTexts,
		"a list has no more than was asked for":      testLimits,
		"one that is unknown":                        testUnknown,
		"a person has it sent again":                 testReopen,
		"a person discards it":                       testDiscard,
		"a person discards what waits":               testDiscardWaiting,
		"nobody decides about what is sent or busy":  testNothingToDecide,
		"a person changes her mind":                  testChangedMind,
		"what was decided counts for the key":        testDecidedKey,
		"a doubt keeps the key":                      testDoubtKeepsKey,
		"there is nothing to recover":                testNothingToRecover,
		"what a dead process left is recovered":      testRecover,
		"what it was writing is uncertain":           testRecoverSending,
		"what it had hardly begun is left alone":     testRecoverUnconfirmed,
		"what is too old is left alone":              testRecoverWindow,
		"the key of a dead process goes on":          testResumeAbandoned,
		"who lost the claim writes no more":          testLostClaim,
		"who lost the claim is heard":                testLateResult,
		"several recover, and each delivery is once": testRecoverTogether,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// needKill leaves out what a journal of one process cannot do.
func needKill(t *testing.T, p Place) {
	t.Helper()
	if p.Kill == nil {
		t.Skip("the deliveries of this journal end with their process: there is nothing to recover")
	}
}

// needTransactions leaves out what many do at once.
func needTransactions(t *testing.T, p Place) {
	t.Helper()
	if p.Serial {
		t.Skip("what keeps these deliveries has no transactions")
	}
}

// lease is longer than any claim lasts without its holder.
const lease = 61 * time.Second

const report, chat = "upcoming_arrivals", "-1001234567890"

// parts are n texts.
func parts(n int) []telegram.Part {
	all := make([]telegram.Part, n)
	for i := range all {
		text := "Parte " + string(rune('A'+i))
		all[i] = telegram.Part{HTML: "<b>" + text + "</b>", Plain: text, UTF16: len(text), Entities: 1}
	}
	return all
}

func delivery(key string, n int) ccm.Delivery {
	return ccm.Delivery{
		Key: key, Fingerprint: "f", Report: report, Request: []byte(`{"days":7}`),
		To: telegram.Target{Chat: chat}, Parts: parts(n), At: time.Now(),
	}
}

func begin(t *testing.T, j ccm.Journal, key string, n int) ccm.Record {
	t.Helper()
	return beginIt(t, j, delivery(key, n))
}

func beginIt(t *testing.T, j ccm.Journal, d ccm.Delivery) ccm.Record {
	t.Helper()
	r, err := j.Begin(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	if r.ID == "" || r.Replayed {
		t.Fatalf("a new delivery is %+v", r)
	}
	return r
}

// sent is an acknowledged part.
func sent(message int64) ccm.PartResult {
	return ccm.PartResult{State: ccm.Delivered, Sent: telegram.Sent{
		ID: message, Chat: chat, Attempts: 2, At: time.Date(2026, 11, 25, 3, 4, 5, 0, time.UTC), Degraded: true,
		Raw: []byte(`{"ok":true,"result":{"message_id":7,"text":"¡Ñandú 🦤!"}}`),
	}}
}

// failed is a part that did not arrive.
func failed(state ccm.State) ccm.PartResult { return ccm.PartResult{State: state} }

func mark(t *testing.T, j ccm.Journal, r ccm.Record, part int, results ...ccm.PartResult) {
	t.Helper()
	for _, result := range results {
		if err := j.Mark(t.Context(), r.ID, part, result); err != nil {
			t.Fatalf("part %d, %s: %v", part, result.State, err)
		}
	}
}

// write marks a part before and after its write.
func write(t *testing.T, j ccm.Journal, r ccm.Record, part int, result ccm.PartResult) {
	t.Helper()
	mark(t, j, r, part, failed(ccm.Sending), result)
}

func end(t *testing.T, j ccm.Journal, r ccm.Record) {
	t.Helper()
	if err := j.End(t.Context(), r.ID); err != nil {
		t.Fatal(err)
	}
}

// finish sends every part.
func finish(t *testing.T, j ccm.Journal, r ccm.Record) ccm.Record {
	t.Helper()
	for i := range r.Parts {
		write(t, j, r, i, sent(int64(i+1)))
	}
	end(t, j, r)
	return r
}

// resume asks for key "k".
func resume(t *testing.T, j ccm.Journal, fingerprint string) (ccm.Record, ccm.Code) {
	t.Helper()
	r, err := j.Resume(t.Context(), "k", fingerprint)
	code := ccm.CodeOf(err)
	if code == ccm.CodeInternal {
		t.Fatal(err)
	}
	return r, code
}

func find(t *testing.T, j ccm.Journal, id string) ccm.Record {
	t.Helper()
	r, err := j.Find(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// states are those of a record's parts.
func states(r ccm.Record) []ccm.State {
	var all []ccm.State
	for _, p := range r.Parts {
		all = append(all, p.State)
	}
	return all
}

// nobodyHas checks that key "k" is free.
func nobodyHas(t *testing.T, j ccm.Journal) {
	t.Helper()
	r, code := resume(t, j, "other")
	is.New(t).Equal(r.ID+string(code), "")
}
